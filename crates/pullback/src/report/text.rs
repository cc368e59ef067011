//! A report as text of at most 80 columns.

use super::number::percent;
use super::{Classification, Figures, Regression, Report};
use crate::train::Metric;
use std::fmt::Write;

/// The most classes that a confusion matrix is drawn for.
const MOST_COLUMNS: usize = 12;
/// The most characters of a class's name that are shown.
const LONGEST_NAME: usize = 24;

/// The report as text.
pub fn render(report: &Report) -> String {
    match report {
        Report::Classification(report) => classification(report),
        Report::Regression(report) => regression(report),
    }
}

/// The first figures of a report: `accuracy 95.83 %, log loss 0.1211`.
pub fn line(report: &Report) -> String {
    match report {
        Report::Classification(report) => format!(
            "accuracy {}, log loss {:.4}",
            percent(figure(&report.figures, Metric::Accuracy)),
            figure(&report.figures, Metric::LogLoss)
        ),
        Report::Regression(report) => {
            let r2 = |figures: &Figures| format!("R2 {:.4}", figure(figures, Metric::R2));
            let all: Vec<String> = report.targets.iter().map(|target| r2(&target.figures)).collect();
            all.join(", ")
        }
    }
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

fn classification(report: &Classification) -> String {
    let mut text = String::new();
    let right = (0..report.classes.len()).map(|class| report.confusion[class][class]).sum::<usize>();
    let _ = write!(
        text,
        "accuracy {} ({right} of {} rows), log loss {:.4}",
        percent(figure(&report.figures, Metric::Accuracy)),
        report.rows,
        figure(&report.figures, Metric::LogLoss)
    );
    if let Some(area) = report.figures.get(Metric::RocAuc) {
        let _ = write!(text, ", ROC AUC {area:.4}");
    }
    let names: Vec<String> =
        report.classes.iter().map(|class| shortened(&class.name, LONGEST_NAME)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(7);
    let _ = writeln!(text, "\n\n  {:width$}  precision   recall       F1     rows", "class");
    for (name, class) in names.iter().zip(&report.classes) {
        let _ = writeln!(
            text,
            "  {name:width$}  {:>9.4}  {:>7.4}  {:>7.4}  {:>7}",
            class.precision, class.recall, class.f1, class.rows
        );
    }
    let _ = writeln!(
        text,
        "  {:width$}  {:>9}  {:>7}  {:>7.4}  {:>7}",
        "mean",
        "",
        "",
        figure(&report.figures, Metric::MacroF1),
        report.rows
    );
    text.push('\n');
    text.push_str(&confusion(report));
    text
}

fn confusion(report: &Classification) -> String {
    let count = report.classes.len();
    let largest = report.confusion.iter().flatten().copied().max().unwrap_or(0);
    let first = 12;
    // Columns are as wide as the names where there is room.
    let longest = report.classes.iter().map(|class| class.name.chars().count()).max().unwrap_or(0);
    let room = (76 - first) / count.max(1);
    let cell = largest.to_string().len().max(longest.min(room.saturating_sub(1))).max(4) + 1;
    let mut text = String::new();
    if count <= MOST_COLUMNS && first + 2 + count * cell <= 78 {
        let name = |at: usize, length| shortened(&report.classes[at].name, length);
        let _ = writeln!(text, "  confusion: rows are the true classes, columns the predicted ones");
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
    for (rows, row, column) in mistakes.iter().take(10) {
        let name = |at: usize| shortened(&report.classes[at].name, LONGEST_NAME);
        let _ = writeln!(text, "  {rows:>6} x {} taken for {}", name(*row), name(*column));
    }
    if mistakes.is_empty() {
        let _ = writeln!(text, "    none");
    }
    text
}

fn regression(report: &Regression) -> String {
    let names: Vec<String> =
        report.targets.iter().map(|target| shortened(&target.name, LONGEST_NAME)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(7);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} rows\n\n  {:width$}  {:>12}  {:>12}  {:>8}",
        report.rows, "target", "RMSE", "MAE", "R2"
    );
    for (name, target) in names.iter().zip(&report.targets) {
        let _ = writeln!(
            text,
            "  {name:width$}  {:>12.6}  {:>12.6}  {:>8.4}",
            figure(&target.figures, Metric::Rmse),
            figure(&target.figures, Metric::Mae),
            figure(&target.figures, Metric::R2)
        );
    }
    text
}
