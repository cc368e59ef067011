//! Days and times of the calendar, as seconds since the beginning of 1970.

/// The number of days from 1970-01-01 to a date of the Gregorian calendar; [`None`] if there is no such date.
///
/// ```
/// assert_eq!(pullback::data::days(1970, 1, 2), Some(1));
/// assert_eq!(pullback::data::days(2021, 2, 29), None);
/// ```
pub fn days(year: i32, month: u32, day: u32) -> Option<i64> {
    let is_leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let length = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last (Hinnant, chrono-compatible low-level date algorithms).
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A time as text: `2021-01-31`, and `2021-01-31 05:30:00` where it is not midnight.
pub(crate) fn written(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    let Parts { year, month, .. } = parts(seconds);
    let month = month as u32 + 1;
    let first = i32::try_from(year).ok().and_then(|year| days(year, month, 1)).unwrap_or(0);
    let day = (seconds / DAY).floor();
    let date = format!("{year:04}-{month:02}-{:02}", day as i64 - first + 1);
    match (seconds - day * DAY) as u64 {
        0 => date,
        time => format!("{date} {:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60),
    }
}

/// The parts of a time, given in seconds since the beginning of 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) year: i64,
    /// From 0, January.
    pub(crate) month: usize,
    /// From 0, Monday.
    pub(crate) weekday: usize,
    pub(crate) hour: usize,
}

pub(crate) fn parts(seconds: f64) -> Parts {
    const DAY: f64 = 86_400.0;
    let day = (seconds / DAY).floor();
    let days = day as i64;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153; // From 0, March.
    let month = if month < 10 { month + 2 } else { month - 10 };
    Parts {
        year: year_of_era + era * 400 + i64::from(month < 2),
        month: month as usize,
        weekday: (days + 3).rem_euclid(7) as usize,
        hour: ((seconds - day * DAY) / 3600.0) as usize % 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_parts_are_each_others_inverse() {
        let mut expected = days(1899, 12, 31).unwrap_or_default();
        for year in 1900..2101 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let Some(days) = days(year, month, day) else { continue };
                    expected += 1;
                    assert_eq!(days, expected, "{year}-{month}-{day}");
                    let found = parts(days as f64 * 86_400.0 + 3_600.0 * f64::from(day % 24));
                    let weekday = (days + 3).rem_euclid(7) as usize;
                    let own = Parts {
                        year: year.into(),
                        month: month as usize - 1,
                        weekday,
                        hour: day as usize % 24,
                    };
                    assert_eq!(found, own, "{year}-{month}-{day}");
                }
            }
        }
        assert_eq!(parts(days(2026, 11, 28).unwrap_or_default() as f64 * 86_400.0).weekday, 5);
    }
}
