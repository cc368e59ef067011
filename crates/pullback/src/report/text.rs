//! A report as text for a terminal, in the language of a [`Catalog`]. Widths are those that a terminal shows.

use super::figures::shown;
use super::folds::figures as figures_of;
use super::names;
use super::{Baseline, Classification, Figures, Folds, Intervals, Labels, Regression, Report};
use crate::catalog::Catalog;
use crate::train::Metric;
use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The most classes that a confusion matrix is drawn for.
const MOST_COLUMNS: usize = 12;
/// The most classes that are listed: of more, those with the lowest F1.
const MOST_CLASSES: usize = 20;
/// The most frequent mistakes are so many.
const MOST_MISTAKES: usize = 10;
/// The widest name that is shown whole.
const LONGEST_NAME: usize = 24;
/// The narrowest page.
const NARROWEST: usize = 50;
/// The most columns before a report on its first line, such as `training `.
const BEFORE: usize = 9;

/// The report as text in lines of at most `width` columns, at least 50.
pub fn render(report: &Report, width: usize, catalog: &Catalog) -> String {
    let width = width.max(NARROWEST);
    let mut text = match report {
        Report::Classification(report) => classification(report, width, catalog),
        Report::Regression(report) => regression(report, width, catalog),
        Report::Labels(report) => labels(report, width, catalog),
    };
    for remark in report.remarks() {
        text.push('\n');
        wrap(&mut text, &catalog.told(&in_a_line(&remark)), width);
    }
    text
}

/// A text with spaces up to `width` columns behind it.
fn left(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(text.width()))
}

/// A text with spaces up to `width` columns before it.
fn right(text: &str, width: usize) -> String {
    format!("{:1$}{text}", "", width.saturating_sub(text.width()))
}

/// A row of a table: a name, and cells as wide as they are to be.
fn row<'a>(name: &str, longest: usize, cells: impl IntoIterator<Item = (&'a str, usize)>) -> String {
    let mut text = format!("  {}", left(name, longest));
    for (cell, width) in cells {
        text.push_str("  ");
        text.push_str(&right(cell, width));
    }
    text.push('\n');
    text
}

/// A metric's name.
fn title(metric: Metric, catalog: &Catalog) -> String {
    catalog.told(metric.item().title)
}

/// The figures of each fold, their mean and deviation, and the report of all rows together, in lines as of [`render`].
pub fn folds(folds: &Folds, width: usize, catalog: &Catalog) -> String {
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
    let titles = metrics.map(|metric| title(metric, catalog));
    let wide: Vec<usize> = titles.iter().map(|title| title.width().max(9)).collect();
    let word = |key: &str| catalog.get(&format!("report.{key}")).to_owned();
    let (longest, rows) = (word("deviation").width().max(9), word("rows").width().max(5));
    let mut text = String::new();
    for (target, spread) in folds.summary.iter().enumerate() {
        if folds.summary.len() > 1 {
            let _ = writeln!(text, "{}", shortened(&spread.name, width.max(NARROWEST)));
        }
        let cells = |rows_cell: &str, cells: [String; 3]| {
            let mut line = format!(" {}", right(rows_cell, rows));
            for (cell, wide) in cells.iter().zip(&wide) {
                line.push_str("  ");
                line.push_str(&right(cell, *wide));
            }
            line + "\n"
        };
        let mut line = |name: &str, rows: &str, values: [String; 3]| {
            let _ = write!(text, "  {}{}", left(name, longest), cells(rows, values));
        };
        let values = |figures: &Figures| {
            metrics.map(|metric| figures.get(metric).map_or("-".to_owned(), |value| shown(metric, value)))
        };
        line(&word("fold"), &word("rows"), titles.clone());
        for (at, fold) in folds.folds.iter().enumerate() {
            line(&(at + 1).to_string(), &fold.rows().to_string(), values(figures_of(fold, target)));
        }
        line(&word("mean"), "", values(&spread.mean));
        line(&word("deviation"), "", values(&spread.deviation));
        text.push('\n');
    }
    let report = render(&folds.out_of_fold, width, catalog);
    text + &catalog.say("report.of_all_rows", &[("report", &report)])
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

/// Adds a text in lines of at most `width` columns.
fn wrap(out: &mut String, text: &str, width: usize) {
    // A number stays with its sign.
    let text = text.replace(" %", "\u{a0}%");
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.width();
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
pub fn line(report: &Report, catalog: &Catalog) -> String {
    let of_classes = |key: &str, figures: &Figures, by: Option<&str>| {
        catalog.say(
            key,
            &[
                ("accuracy", &shown(Metric::Accuracy, figure(figures, Metric::Accuracy))),
                ("weighted", &weighted(by, catalog)),
                ("loss", &format!("{:.4}", figure(figures, Metric::LogLoss))),
            ],
        )
    };
    match report {
        Report::Classification(report) => {
            of_classes("report.line", &report.figures, report.weighted_by.as_deref())
        }
        Report::Labels(report) => {
            of_classes("report.line_of_labels", &report.figures, report.weighted_by.as_deref())
        }
        Report::Regression(report) => {
            let explained = if columns(report)[1] == Metric::D2 { Metric::D2 } else { Metric::R2 };
            let one = |figures: &Figures| {
                format!("{} {:.4}", title(explained, catalog), figure(figures, explained))
            };
            let all: Vec<String> = report.targets.iter().map(|target| one(&target.figures)).collect();
            format!("{}{}", all.join(", "), weighted(report.weighted_by.as_deref(), catalog))
        }
    }
}

/// By which column figures are weighted, if they are.
fn weighted(by: Option<&str>, catalog: &Catalog) -> String {
    let told = |column| catalog.say("report.weighted", &[("column", &shortened(column, LONGEST_NAME))]);
    by.map_or(String::new(), told)
}

/// What stands for the rest of a name.
const MARK: char = '~';

/// The first columns of a text that is wider.
fn shortened(text: &str, width: usize) -> String {
    names::shortened(&in_a_line(text), width, MARK, UnicodeWidthStr::width)
}

/// A text whose line ends are shown, as those of names are that stand in it.
fn in_a_line(text: &str) -> Cow<'_, str> {
    names::escaped(text, names::is_unsafe)
}

/// The names of classes, labels or targets in so many columns, each another.
fn apart<'a>(names: impl Iterator<Item = &'a String>, width: usize) -> Vec<String> {
    let shown: Vec<Cow<'_, str>> = names.map(|name| in_a_line(name)).collect();
    names::shortened_apart(
        &shown.iter().map(|name| &**name).collect::<Vec<_>>(),
        width,
        MARK,
        UnicodeWidthStr::width,
    )
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
    catalog: &'a Catalog,
}

/// A text whose words stay on one line.
fn kept_together(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

impl Summary<'_> {
    /// A figure with its interval; what belongs together stays on a line.
    fn phrase(&self, metric: Metric, weighted: &str) -> String {
        let value = shown(metric, figure(self.figures, metric));
        let within = within(self.intervals, metric, self.catalog);
        kept_together(&format!("{} {value}{weighted}{within}", title(metric, self.catalog)))
    }

    /// The first line, behind a word that stands there already; the other figures; the baselines.
    fn write(&self, text: &mut String, first: &str, others: &[Metric], width: usize) {
        wrap(text, first, width - BEFORE);
        let others = beside_accuracy(others, self.judged_by, self.figures);
        let mut second =
            others.into_iter().map(|metric| self.phrase(metric, "")).collect::<Vec<_>>().join(", ");
        if !self.intervals.is_empty() {
            second += "; ";
            second += &kept_together(self.catalog.get("report.intervals"));
        }
        wrap(text, &second, width);
        text.push_str(&to_beat(self.baselines, self.judged_by, width, self.catalog));
    }
}

/// The titles of a table, and how wide its columns are: as wide as the titles, and at least as the numbers.
fn titled<const COUNT: usize>(
    catalog: &Catalog,
    columns: [(&str, usize); COUNT],
) -> ([String; COUNT], [usize; COUNT]) {
    let titles = columns.map(|(key, _)| catalog.get(&format!("report.{key}")).to_owned());
    let mut widths = columns.map(|(_, least)| least);
    widths.iter_mut().zip(&titles).for_each(|(width, title)| *width = (*width).max(title.width()));
    (titles, widths)
}

/// The widest of some texts, at least as wide as a heading.
fn widest<'a>(names: impl Iterator<Item = &'a str>, heading: &str) -> usize {
    names.map(|name| name.width()).max().unwrap_or(0).max(heading.width())
}

fn classification(report: &Classification, width: usize, catalog: &Catalog) -> String {
    const COLUMNS: usize = 40;
    let mut text = String::new();
    let right = (0..report.classes.len()).map(|class| report.confusion[class][class]).sum::<usize>();
    let summary = Summary {
        figures: &report.figures,
        intervals: &report.intervals,
        judged_by: report.judged_by,
        baselines: &report.baselines,
        catalog,
    };
    let accuracy = summary.phrase(Metric::Accuracy, &weighted(report.weighted_by.as_deref(), catalog));
    let of_rows = catalog.say("report.right_rows", &[("right", &right), ("rows", &report.rows)]);
    let others = [Metric::LogLoss, Metric::RocAuc, Metric::Brier, Metric::CalibrationError];
    summary.write(&mut text, &format!("{accuracy}, {}", kept_together(&of_rows)), &others, width);
    let mut order: Vec<usize> = (0..report.classes.len()).collect();
    text.push('\n');
    if order.len() > MOST_CLASSES {
        order.sort_by(|&a, &b| report.classes[a].f1.total_cmp(&report.classes[b].f1));
        order.truncate(MOST_CLASSES);
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("shown", &MOST_CLASSES), ("classes", &report.classes.len())];
        let _ = writeln!(text, "  {}", catalog.say("report.lowest_classes", &values));
    }
    let names = apart(report.classes.iter().map(|class| &class.name), LONGEST_NAME.min(width - COLUMNS));
    let (heading, mean) = (catalog.get("report.class"), catalog.get("report.mean"));
    let longest = widest(order.iter().map(|&at| names[at].as_str()), heading).max(7);
    let (titles, widths) = titled(catalog, [("precision", 9), ("recall", 7), ("f1", 7), ("rows", 7)]);
    let line =
        |name: &str, cells: [String; 4]| row(name, longest, cells.iter().map(String::as_str).zip(widths));
    text.push_str(&line(heading, titles));
    for &at in &order {
        let class = &report.classes[at];
        let [precision, recall, f1] = [class.precision, class.recall, class.f1].map(|x| format!("{x:.4}"));
        text.push_str(&line(&names[at], [precision, recall, f1, class.rows.to_string()]));
    }
    if order.len() < report.classes.len() {
        let more = report.classes.len() - order.len();
        let _ = writeln!(text, "  {}", catalog.say("report.and_more", &[("count", &more)]));
    }
    let f1 = format!("{:.4}", figure(&report.figures, Metric::MacroF1));
    text.push_str(&line(mean, [String::new(), String::new(), f1, report.rows.to_string()]));
    text.push('\n');
    text.push_str(&confusion(report, width, catalog));
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
fn to_beat(baselines: &[Baseline], judge: Metric, width: usize, catalog: &Catalog) -> String {
    let against = |baseline: &Baseline| {
        let value = shown(judge, baseline.figures.get(judge)?);
        Some(format!("{} {value}", catalog.told(&in_a_line(&baseline.words))))
    };
    let against: Vec<String> = baselines.iter().filter_map(against).collect();
    let list = against.join(", ");
    let mut text = String::new();
    if !against.is_empty() {
        let told = match judge {
            Metric::Accuracy => catalog.say("report.to_beat", &[("list", &list)]),
            _ => catalog.say("report.to_beat_by", &[("metric", &title(judge, catalog)), ("list", &list)]),
        };
        wrap(&mut text, &told, width);
    }
    text
}

/// Pages of at least so many columns have all columns of the table of labels.
const WIDE: usize = 72;

fn labels(report: &Labels, width: usize, catalog: &Catalog) -> String {
    let summary = Summary {
        figures: &report.figures,
        intervals: &report.intervals,
        judged_by: report.judged_by,
        baselines: &report.baselines,
        catalog,
    };
    let by = weighted(report.weighted_by.as_deref(), catalog);
    let first = catalog.say(
        "report.right_labels",
        &[
            ("accuracy", &summary.phrase(Metric::Accuracy, &by)),
            ("labels", &report.labels.len()),
            ("subset", &summary.phrase(Metric::SubsetAccuracy, "")),
            ("rows", &report.rows),
        ],
    );
    let mut text = String::new();
    let others = [Metric::MicroF1, Metric::MacroF1, Metric::RocAuc, Metric::LogLoss];
    summary.write(&mut text, &first, &others, width);
    let mut order: Vec<usize> = (0..report.labels.len()).collect();
    text.push('\n');
    if order.len() > MOST_CLASSES {
        order.sort_by(|&a, &b| report.labels[a].f1.total_cmp(&report.labels[b].f1));
        order.truncate(MOST_CLASSES);
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("shown", &MOST_CLASSES), ("labels", &report.labels.len())];
        let _ = writeln!(text, "  {}", catalog.say("report.lowest_labels", &values));
    }
    let has_area = width >= WIDE;
    let columns = if has_area { 56 } else { 47 };
    let names = apart(report.labels.iter().map(|label| &label.name), LONGEST_NAME.min(width - columns));
    let heading = catalog.get("report.label");
    let longest = widest(order.iter().map(|&at| names[at].as_str()), heading);
    let columns = [("accuracy", 8), ("precision", 9), ("recall", 6), ("f1", 6), ("roc_auc", 7), ("rows", 6)];
    let (titles, widths) = titled(catalog, columns);
    let line = |name: &str, cells: [String; 6]| {
        let cells = cells.iter().map(String::as_str).zip(widths).enumerate();
        row(name, longest, cells.filter(|(at, _)| has_area || *at != 4).map(|(_, cell)| cell))
    };
    text.push_str(&line(heading, titles));
    for &at in &order {
        let label = &report.labels[at];
        let value = |metric| label.figures.get(metric).map_or("-".to_owned(), |value| shown(metric, value));
        let [precision, recall, f1] = [label.precision, label.recall, label.f1].map(|x| format!("{x:.4}"));
        let (accuracy, area) = (value(Metric::Accuracy), value(Metric::RocAuc));
        let cells = [accuracy, precision, recall, f1, area, label.rows.to_string()];
        text.push_str(&line(&names[at], cells));
    }
    if order.len() < report.labels.len() {
        let more = report.labels.len() - order.len();
        let _ = writeln!(text, "  {}", catalog.say("report.and_more", &[("count", &more)]));
    }
    text
}

fn confusion(report: &Classification, width: usize, catalog: &Catalog) -> String {
    let count = report.classes.len();
    let largest = report.confusion.iter().flatten().copied().max().unwrap_or(0);
    let first = 12;
    // Columns are as wide as the names where there is room.
    let longest = report.classes.iter().map(|class| in_a_line(&class.name).width()).max().unwrap_or(0);
    let room = (width - 4 - first) / count.max(1);
    let cell = largest.to_string().len().max(longest.min(room.saturating_sub(1))).max(4) + 1;
    let mut text = String::new();
    if count <= MOST_COLUMNS && first + 2 + count * cell <= width - 2 {
        let names = |width| apart(report.classes.iter().map(|class| &class.name), width);
        let _ = writeln!(text, "  {}", catalog.get("report.confusion"));
        let _ = write!(text, "  {:first$}", "");
        names(cell - 1).iter().for_each(|name| text.push_str(&right(name, cell)));
        text.push('\n');
        for (name, cells) in names(first - 1).iter().zip(&report.confusion) {
            let _ = write!(text, "  {}", left(name, first));
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
    let _ = writeln!(text, "  {}", catalog.get("report.mistakes"));
    let names = apart(report.classes.iter().map(|class| &class.name), LONGEST_NAME.min((width - 24) / 2));
    for (rows, row, column) in mistakes.iter().take(MOST_MISTAKES) {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("rows", &format!("{rows:>6}")), ("class", &names[*row]), ("taken", &names[*column])];
        let _ = writeln!(text, "  {}", catalog.say("report.mistake", &values));
    }
    if mistakes.is_empty() {
        let _ = writeln!(text, "    {}", catalog.get("report.no_mistakes"));
    }
    text
}

/// The interval of a metric, to follow its value: ` (0.0551 to 0.1672)`; nothing if there is none.
fn within(intervals: &Intervals, metric: Metric, catalog: &Catalog) -> String {
    let Some(ends) = intervals.get(metric) else { return String::new() };
    let [low, high] = ends.map(|end| shown(metric, end).trim_end_matches(" %").to_owned());
    catalog.say("report.within", &[("low", &low), ("high", &high)])
}

fn regression(report: &Regression, width: usize, catalog: &Catalog) -> String {
    const COLUMNS: usize = 36;
    let metrics = columns(report);
    let mut rows: Vec<(String, [String; 3])> = Vec::new();
    let cells = |value: &dyn Fn(Metric) -> Option<f64>| {
        metrics.map(|metric| value(metric).map_or("-".to_owned(), |value| shown(metric, value)))
    };
    let most = (LONGEST_NAME + 6).min(width - COLUMNS);
    let names = apart(report.targets.iter().map(|target| &target.name), most);
    for (target, name) in report.targets.iter().zip(names) {
        rows.push((name, cells(&|metric| target.figures.get(metric))));
        if !target.intervals.is_empty() {
            let end = |at: usize| cells(&|metric| target.intervals.get(metric).map(|ends| ends[at]));
            rows.push((format!("  {}", catalog.get("report.interval_from")), end(0)));
            rows.push((format!("  {}", catalog.get("report.interval_to")), end(1)));
        }
        for baseline in &target.baselines {
            let words = format!("  {}", catalog.told(&in_a_line(&baseline.words)));
            rows.push((words, cells(&|metric| baseline.figures.get(metric))));
        }
    }
    let lengths = rows.iter().map(|(name, _)| name.width()).filter(|length| *length <= most);
    let longest = lengths.max().unwrap_or(0).max(7);
    let weighted = weighted(report.weighted_by.as_deref(), catalog);
    let mut text = catalog.say("report.of_rows", &[("rows", &report.rows), ("weighted", &weighted)]);
    text.push_str("\n\n");
    let titles = metrics.map(|metric| title(metric, catalog));
    let widths = titles.each_ref().map(|title| title.width().max(9));
    let mut line = |name: &str, cells: &[String; 3]| {
        // What a baseline predicts is told whole: where it is longer than the column, in a line of its own.
        let name = if name.width() > longest {
            let _ = writeln!(text, "  {name}");
            ""
        } else {
            name
        };
        text.push_str(&row(name, longest, cells.iter().map(String::as_str).zip(widths)));
    };
    line(catalog.get("report.target"), &titles);
    for (name, cells) in &rows {
        line(name, cells);
    }
    text
}
