//! A report as text for a terminal.

use super::folds::figures as figures_of;
use super::number::{percent, significant};
use super::{Baseline, Classification, Figures, Folds, Regression, Report};
use crate::train::Metric;
use std::fmt::Write;

/// The most classes that a confusion matrix is drawn for.
const MOST_COLUMNS: usize = 12;
/// The most classes that are listed: of more, those with the lowest F1.
const MOST_CLASSES: usize = 20;
/// The most frequent mistakes are so many.
const MOST_MISTAKES: usize = 10;
/// The most characters of a name that are shown.
const LONGEST_NAME: usize = 24;
/// The narrowest page.
const NARROWEST: usize = 50;
/// The digits of figures in the unit of a target.
const DIGITS: usize = 4;

/// The report as text in lines of at most `width` characters, at least 50.
pub fn render(report: &Report, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut text = match report {
        Report::Classification(report) => classification(report, width),
        Report::Regression(report) => regression(report, width),
    };
    for remark in report.remarks() {
        text.push('\n');
        wrap(&mut text, &remark, width);
    }
    text
}

/// The figures of each fold, their mean and deviation, and the report of all rows together, in lines as of [`render`].
pub fn folds(folds: &Folds, width: usize) -> String {
    const COLUMN: usize = 11;
    let first = folds.folds.iter().map(|fold| figures_of(fold, 0));
    let has = |metric| first.clone().all(|figures| figures.get(metric).is_some());
    let metrics = match &folds.out_of_fold {
        Report::Regression(_) => [Metric::Rmse, Metric::Mae, Metric::R2],
        Report::Classification(_) if has(Metric::RocAuc) => {
            [Metric::Accuracy, Metric::LogLoss, Metric::RocAuc]
        }
        Report::Classification(_) => [Metric::Accuracy, Metric::LogLoss, Metric::MacroF1],
    };
    let shown = |metric, value: f64| match metric {
        Metric::Accuracy => percent(value),
        Metric::Rmse | Metric::Mae => significant(value, DIGITS),
        _ if value.abs() < 1e3 => format!("{value:.4}"),
        _ => significant(value, 3),
    };
    let mut text = String::new();
    for (target, spread) in folds.summary.iter().enumerate() {
        if folds.summary.len() > 1 {
            let _ = writeln!(text, "{}", shortened(&spread.name, width.max(NARROWEST)));
        }
        let _ = write!(text, "  {:<9} {:>5}", "fold", "rows");
        metrics.iter().for_each(|metric| {
            let _ = write!(text, "{:>COLUMN$}", title(*metric));
        });
        text.push('\n');
        let mut line = |name: &str, rows: &str, figures: &Figures| {
            let _ = write!(text, "  {name:<9} {rows:>5}");
            for metric in metrics {
                let value = figures.get(metric).map_or("-".to_owned(), |value| shown(metric, value));
                let _ = write!(text, "{value:>COLUMN$}");
            }
            text.push('\n');
        };
        for (at, fold) in folds.folds.iter().enumerate() {
            line(&(at + 1).to_string(), &fold.rows().to_string(), figures_of(fold, target));
        }
        line("mean", "", &spread.mean);
        line("deviation", "", &spread.deviation);
        text.push('\n');
    }
    text + "all rows " + &render(&folds.out_of_fold, width)
}

/// A metric as the head of a column.
fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::LogLoss => "log loss",
        Metric::RocAuc => "ROC AUC",
        Metric::MacroF1 => "macro F1",
        Metric::Rmse => "RMSE",
        Metric::Mae => "MAE",
        Metric::R2 => "R2",
        metric => metric.name(),
    }
}

/// Adds a text in lines of at most `width` characters.
fn wrap(out: &mut String, text: &str, width: usize) {
    // A number stays with its sign.
    let text = text.replace(" %", "\u{a0}%");
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word.replace('\u{a0}', " "));
        column += length;
    }
    out.push('\n');
}

/// The first figures of a report: `accuracy 95.83 %, log loss 0.1211`.
pub fn line(report: &Report) -> String {
    match report {
        Report::Classification(report) => format!(
            "accuracy {}{}, log loss {:.4}",
            percent(figure(&report.figures, Metric::Accuracy)),
            weighted(report.weighted_by.as_deref()),
            figure(&report.figures, Metric::LogLoss)
        ),
        Report::Regression(report) => {
            let r2 = |figures: &Figures| format!("R2 {:.4}", figure(figures, Metric::R2));
            let all: Vec<String> = report.targets.iter().map(|target| r2(&target.figures)).collect();
            format!("{}{}", all.join(", "), weighted(report.weighted_by.as_deref()))
        }
    }
}

/// By which column figures are weighted, if they are.
fn weighted(by: Option<&str>) -> String {
    by.map_or(String::new(), |column| format!(" weighted by \"{}\"", shortened(column, LONGEST_NAME)))
}

fn shortened(name: &str, length: usize) -> String {
    if name.chars().count() <= length {
        return name.to_owned();
    }
    let start: String = name.chars().take(length.saturating_sub(1)).collect();
    format!("{start}~")
}

/// A figure; 0 of no rows.
fn figure(figures: &Figures, metric: Metric) -> f64 {
    figures.get(metric).unwrap_or(0.0)
}

fn classification(report: &Classification, width: usize) -> String {
    const COLUMNS: usize = 40;
    let mut text = String::new();
    let right = (0..report.classes.len()).map(|class| report.confusion[class][class]).sum::<usize>();
    let _ = write!(
        text,
        "accuracy {}{} ({right} of {} rows), log loss {:.4}",
        percent(figure(&report.figures, Metric::Accuracy)),
        weighted(report.weighted_by.as_deref()),
        report.rows,
        figure(&report.figures, Metric::LogLoss)
    );
    if let Some(area) = report.figures.get(Metric::RocAuc) {
        let _ = write!(text, ", ROC AUC {area:.4}");
    }
    text.push('\n');
    let against = |baseline: &Baseline| {
        let accuracy = baseline.figures.get(Metric::Accuracy)?;
        Some(format!("{} {}", baseline.words, percent(accuracy)))
    };
    let against: Vec<String> = report.baselines.iter().filter_map(against).collect();
    if !against.is_empty() {
        wrap(&mut text, &format!("to beat: {}", against.join(", ")), width);
    }
    let mut order: Vec<usize> = (0..report.classes.len()).collect();
    if order.len() > MOST_CLASSES {
        order.sort_by(|&a, &b| report.classes[a].f1.total_cmp(&report.classes[b].f1));
        order.truncate(MOST_CLASSES);
        let _ =
            writeln!(text, "\n  the {MOST_CLASSES} of {} classes with the lowest F1:", report.classes.len());
    } else {
        text.push('\n');
    }
    let name = |at: usize| shortened(&report.classes[at].name, LONGEST_NAME.min(width - COLUMNS));
    let longest = order.iter().map(|&at| name(at).chars().count()).max().unwrap_or(0).max(7);
    let _ = writeln!(text, "  {:longest$}  precision   recall       F1     rows", "class");
    for &at in &order {
        let class = &report.classes[at];
        let _ = writeln!(
            text,
            "  {:longest$}  {:>9.4}  {:>7.4}  {:>7.4}  {:>7}",
            name(at),
            class.precision,
            class.recall,
            class.f1,
            class.rows
        );
    }
    if order.len() < report.classes.len() {
        let _ = writeln!(text, "  and {} more", report.classes.len() - order.len());
    }
    let _ = writeln!(
        text,
        "  {:longest$}  {:>9}  {:>7}  {:>7.4}  {:>7}",
        "mean",
        "",
        "",
        figure(&report.figures, Metric::MacroF1),
        report.rows
    );
    text.push('\n');
    text.push_str(&confusion(report, width));
    text
}

fn confusion(report: &Classification, width: usize) -> String {
    let count = report.classes.len();
    let largest = report.confusion.iter().flatten().copied().max().unwrap_or(0);
    let first = 12;
    // Columns are as wide as the names where there is room.
    let longest = report.classes.iter().map(|class| class.name.chars().count()).max().unwrap_or(0);
    let room = (width - 4 - first) / count.max(1);
    let cell = largest.to_string().len().max(longest.min(room.saturating_sub(1))).max(4) + 1;
    let mut text = String::new();
    if count <= MOST_COLUMNS && first + 2 + count * cell <= width - 2 {
        let name = |at: usize, length| shortened(&report.classes[at].name, length);
        let _ = writeln!(text, "  confusion: rows are true, columns predicted classes");
        let _ = write!(text, "  {:first$}", "");
        for column in 0..count {
            let _ = write!(text, "{:>cell$}", name(column, cell - 1));
        }
        text.push('\n');
        for (row, cells) in report.confusion.iter().enumerate() {
            let _ = write!(text, "  {:first$}", name(row, first - 1));
            for &rows in cells {
                let shown = if rows == 0 { ".".to_owned() } else { rows.to_string() };
                let _ = write!(text, "{shown:>cell$}");
            }
            text.push('\n');
        }
        return text;
    }
    let mut mistakes: Vec<(usize, usize, usize)> = (0..count)
        .flat_map(|row| (0..count).map(move |column| (row, column)))
        .filter(|(row, column)| row != column && report.confusion[*row][*column] > 0)
        .map(|(row, column)| (report.confusion[row][column], row, column))
        .collect();
    mistakes.sort_by_key(|&(rows, row, column)| (std::cmp::Reverse(rows), row, column));
    let _ = writeln!(text, "  most frequent mistakes");
    for (rows, row, column) in mistakes.iter().take(MOST_MISTAKES) {
        let length = LONGEST_NAME.min((width - 24) / 2);
        let name = |at: usize| shortened(&report.classes[at].name, length);
        let _ = writeln!(text, "  {rows:>6} x {} taken for {}", name(*row), name(*column));
    }
    if mistakes.is_empty() {
        let _ = writeln!(text, "    none");
    }
    text
}

fn regression(report: &Regression, width: usize) -> String {
    const COLUMNS: usize = 36;
    let rows: Vec<(String, &Figures)> = (report.targets.iter())
        .flat_map(|target| {
            let baselines = target.baselines.iter();
            let name = |baseline: &Baseline| format!("  {}", baseline.words);
            std::iter::once((target.name.clone(), &target.figures))
                .chain(baselines.map(move |baseline| (name(baseline), &baseline.figures)))
        })
        .map(|(name, figures)| (shortened(&name, (LONGEST_NAME + 6).min(width - COLUMNS)), figures))
        .collect();
    let longest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(7);
    let mut text = format!("{} rows{}\n\n", report.rows, weighted(report.weighted_by.as_deref()));
    let _ = writeln!(text, "  {:longest$}  {:>9}  {:>9}  {:>9}", "target", "RMSE", "MAE", "R2");
    for (name, figures) in rows {
        let unit = |metric| significant(figure(figures, metric), DIGITS);
        let r2 = figure(figures, Metric::R2);
        let r2 = if r2.abs() < 1e3 { format!("{r2:.4}") } else { significant(r2, 3) };
        let _ =
            writeln!(text, "  {name:longest$}  {:>9}  {:>9}  {r2:>9}", unit(Metric::Rmse), unit(Metric::Mae));
    }
    text
}
