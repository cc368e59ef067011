//! A report as text for a terminal.

use super::figures::shown;
use super::folds::figures as figures_of;
use super::number::counted;
use super::{Baseline, Classification, Figures, Folds, Intervals, Labels, Regression, Report};
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
/// The most characters before a report on its first line, such as `training `.
const BEFORE: usize = 9;

/// The report as text in lines of at most `width` characters, at least 50.
pub fn render(report: &Report, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut text = match report {
        Report::Classification(report) => classification(report, width),
        Report::Regression(report) => regression(report, width),
        Report::Labels(report) => labels(report, width),
    };
    for remark in report.remarks() {
        text.push('\n');
        wrap(&mut text, &remark, width);
    }
    text
}

/// The figures of each fold, their mean and deviation, and the report of all rows together, in lines as of [`render`].
pub fn folds(folds: &Folds, width: usize) -> String {
    let metrics = match &folds.out_of_fold {
        Report::Labels(report) => [
            Metric::Accuracy,
            Metric::LogLoss,
            match report.judged_by {
                Metric::Accuracy | Metric::LogLoss => Metric::MacroF1,
                asked => asked,
            },
        ],
        Report::Regression(report) => columns(report),
        Report::Classification(report) => {
            let first = folds.folds.iter().map(|fold| figures_of(fold, 0));
            let has_area = first.clone().all(|figures| figures.get(Metric::RocAuc).is_some());
            let last = match report.judged_by {
                Metric::Accuracy | Metric::LogLoss if has_area => Metric::RocAuc,
                Metric::Accuracy | Metric::LogLoss => Metric::MacroF1,
                asked => asked,
            };
            [Metric::Accuracy, Metric::LogLoss, last]
        }
    };
    let wide = |metric: Metric| (metric.item().title.len() + 2).max(11);
    let mut text = String::new();
    for (target, spread) in folds.summary.iter().enumerate() {
        if folds.summary.len() > 1 {
            let _ = writeln!(text, "{}", shortened(&spread.name, width.max(NARROWEST)));
        }
        let _ = write!(text, "  {:<9} {:>5}", "fold", "rows");
        metrics.iter().for_each(|metric| {
            let _ = write!(text, "{:>1$}", metric.item().title, wide(*metric));
        });
        text.push('\n');
        let mut line = |name: &str, rows: &str, figures: &Figures| {
            let _ = write!(text, "  {name:<9} {rows:>5}");
            for metric in metrics {
                let value = figures.get(metric).map_or("-".to_owned(), |value| shown(metric, value));
                let _ = write!(text, "{value:>0$}", wide(metric));
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

/// The metrics of numbers that a table has a column for: the score of the cost among them.
fn columns(report: &Regression) -> [Metric; 3] {
    let has = |metric| report.targets.iter().all(|target| target.figures.get(metric).is_some());
    if has(Metric::Pinball) {
        [Metric::Pinball, Metric::D2, Metric::Mae]
    } else if has(Metric::Deviance) {
        [Metric::Deviance, Metric::D2, Metric::Rmse]
    } else {
        [Metric::Rmse, Metric::Mae, Metric::R2]
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
            shown(Metric::Accuracy, figure(&report.figures, Metric::Accuracy)),
            weighted(report.weighted_by.as_deref()),
            figure(&report.figures, Metric::LogLoss)
        ),
        Report::Labels(report) => format!(
            "accuracy of labels {}{}, log loss {:.4}",
            shown(Metric::Accuracy, figure(&report.figures, Metric::Accuracy)),
            weighted(report.weighted_by.as_deref()),
            figure(&report.figures, Metric::LogLoss)
        ),
        Report::Regression(report) => {
            let explained = if columns(report)[1] == Metric::D2 { Metric::D2 } else { Metric::R2 };
            let one =
                |figures: &Figures| format!("{} {:.4}", explained.item().title, figure(figures, explained));
            let all: Vec<String> = report.targets.iter().map(|target| one(&target.figures)).collect();
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

/// The figures of classes or labels that a report begins with, and what they are compared with.
struct Summary<'a> {
    figures: &'a Figures,
    intervals: &'a Intervals,
    judged_by: Metric,
    baselines: &'a [Baseline],
}

impl Summary<'_> {
    /// A figure with its interval; what belongs together stays on a line.
    fn phrase(&self, metric: Metric, weighted: &str) -> String {
        let value = shown(metric, figure(self.figures, metric));
        let words = format!("{} {value}{weighted}{}", metric.item().title, within(self.intervals, metric));
        words.replace(' ', "\u{a0}")
    }

    /// The first line, behind a word that stands there already; the other figures; the baselines.
    fn write(&self, text: &mut String, first: &str, others: &[Metric], width: usize) {
        wrap(text, first, width - BEFORE);
        let others = beside_accuracy(others, self.judged_by, self.figures);
        let mut second =
            others.into_iter().map(|metric| self.phrase(metric, "")).collect::<Vec<_>>().join(", ");
        if !self.intervals.is_empty() {
            second += "; in\u{a0}parentheses: 95\u{a0}%\u{a0}intervals";
        }
        wrap(text, &second, width);
        text.push_str(&to_beat(self.baselines, self.judged_by, width));
    }
}

fn classification(report: &Classification, width: usize) -> String {
    const COLUMNS: usize = 40;
    let mut text = String::new();
    let right = (0..report.classes.len()).map(|class| report.confusion[class][class]).sum::<usize>();
    let summary = Summary {
        figures: &report.figures,
        intervals: &report.intervals,
        judged_by: report.judged_by,
        baselines: &report.baselines,
    };
    let first = format!(
        "{}, {right}\u{a0}of\u{a0}{}\u{a0}rows",
        summary.phrase(Metric::Accuracy, &weighted(report.weighted_by.as_deref())),
        report.rows
    );
    let others = [Metric::LogLoss, Metric::RocAuc, Metric::Brier, Metric::CalibrationError];
    summary.write(&mut text, &first, &others, width);
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

/// The metrics of a second line: some, and the one that was asked for, once; as far as they have a value.
fn beside_accuracy(metrics: &[Metric], asked: Metric, figures: &Figures) -> Vec<Metric> {
    let mut metrics = metrics.to_vec();
    if asked != Metric::Accuracy && !metrics.contains(&asked) {
        metrics.push(asked);
    }
    metrics.retain(|&metric| figures.get(metric).is_some());
    metrics
}

/// What is reached without a network, by a metric.
fn to_beat(baselines: &[Baseline], judge: Metric, width: usize) -> String {
    let against = |baseline: &Baseline| {
        Some(format!("{} {}", baseline.words, shown(judge, baseline.figures.get(judge)?)))
    };
    let against: Vec<String> = baselines.iter().filter_map(against).collect();
    let by = match judge {
        Metric::Accuracy => String::new(),
        _ => format!(" by {}", judge.item().title),
    };
    let mut text = String::new();
    if !against.is_empty() {
        wrap(&mut text, &format!("to beat{by}: {}", against.join(", ")), width);
    }
    text
}

/// Pages of at least so many characters have all columns of the table of labels.
const WIDE: usize = 72;

fn labels(report: &Labels, width: usize) -> String {
    let summary = Summary {
        figures: &report.figures,
        intervals: &report.intervals,
        judged_by: report.judged_by,
        baselines: &report.baselines,
    };
    let first = format!(
        "{} of\u{a0}{}\u{a0}labels, {} of\u{a0}{}\u{a0}rows",
        summary.phrase(Metric::Accuracy, &weighted(report.weighted_by.as_deref())),
        report.labels.len(),
        summary.phrase(Metric::SubsetAccuracy, ""),
        report.rows
    );
    let mut text = String::new();
    let others = [Metric::MicroF1, Metric::MacroF1, Metric::RocAuc, Metric::LogLoss];
    summary.write(&mut text, &first, &others, width);
    let mut order: Vec<usize> = (0..report.labels.len()).collect();
    text.push('\n');
    if order.len() > MOST_CLASSES {
        order.sort_by(|&a, &b| report.labels[a].f1.total_cmp(&report.labels[b].f1));
        order.truncate(MOST_CLASSES);
        let _ = writeln!(text, "  the {MOST_CLASSES} of {} labels with the lowest F1:", report.labels.len());
    }
    let has_area = width >= WIDE;
    let columns = if has_area { 56 } else { 47 };
    let name = |at: usize| shortened(&report.labels[at].name, LONGEST_NAME.min(width - columns));
    let longest = order.iter().map(|&at| name(at).chars().count()).max().unwrap_or(0).max(5);
    let area = if has_area { "  ROC AUC" } else { "" };
    let _ = writeln!(text, "  {:longest$}  accuracy  precision  recall      F1{area}    rows", "label");
    for &at in &order {
        let label = &report.labels[at];
        let value = |metric| label.figures.get(metric).map_or("-".to_owned(), |value| shown(metric, value));
        let area = if has_area { format!("  {:>7}", value(Metric::RocAuc)) } else { String::new() };
        let _ = writeln!(
            text,
            "  {:longest$}  {:>8}  {:>9.4}  {:>6.4}  {:>6.4}{area}  {:>6}",
            name(at),
            value(Metric::Accuracy),
            label.precision,
            label.recall,
            label.f1,
            label.rows
        );
    }
    if order.len() < report.labels.len() {
        let _ = writeln!(text, "  and {} more", report.labels.len() - order.len());
    }
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

/// The interval of a metric, to follow its value: ` (0.0551 to 0.1672)`; nothing if there is none.
fn within(intervals: &Intervals, metric: Metric) -> String {
    match intervals.get(metric) {
        Some([low, high]) => {
            format!(
                " ({} to {})",
                shown(metric, low).trim_end_matches(" %"),
                shown(metric, high).trim_end_matches(" %")
            )
        }
        None => String::new(),
    }
}

fn regression(report: &Regression, width: usize) -> String {
    const COLUMNS: usize = 36;
    let metrics = columns(report);
    let mut rows: Vec<(String, [String; 3])> = Vec::new();
    let cells = |value: &dyn Fn(Metric) -> Option<f64>| {
        metrics.map(|metric| value(metric).map_or("-".to_owned(), |value| shown(metric, value)))
    };
    for target in &report.targets {
        rows.push((target.name.clone(), cells(&|metric| target.figures.get(metric))));
        if !target.intervals.is_empty() {
            let end = |at: usize| cells(&|metric| target.intervals.get(metric).map(|ends| ends[at]));
            rows.push(("  95 % from".to_owned(), end(0)));
            rows.push(("       to".to_owned(), end(1)));
        }
        for baseline in &target.baselines {
            rows.push((format!("  {}", baseline.words), cells(&|metric| baseline.figures.get(metric))));
        }
    }
    let most = (LONGEST_NAME + 6).min(width - COLUMNS);
    for (name, _) in rows.iter_mut().filter(|(name, _)| !name.starts_with(' ')) {
        *name = shortened(name, most);
    }
    let lengths = rows.iter().map(|(name, _)| name.chars().count()).filter(|length| *length <= most);
    let longest = lengths.max().unwrap_or(0).max(7);
    let mut text = format!("{}{}\n\n", counted(report.rows, "row"), weighted(report.weighted_by.as_deref()));
    let mut line = |name: &str, [one, two, three]: [&str; 3]| {
        // What a baseline predicts is told whole: where it is longer than the column, in a line of its own.
        let name = if name.chars().count() > longest {
            let _ = writeln!(text, "  {name}");
            ""
        } else {
            name
        };
        let _ = writeln!(text, "  {name:longest$}  {one:>9}  {two:>9}  {three:>9}");
    };
    line("target", metrics.map(|metric| metric.item().title));
    for (name, cells) in &rows {
        line(name, cells.each_ref().map(String::as_str));
    }
    text
}
