//! A scene as a drawing: what each role looks like. Colors are variables, so that they follow light and dark.

use super::text::wrap_by;
use crate::compact::sort_by_key;
use crate::error::{Error, Result};
use crate::explain::{Anchor, Catalog, Figure, Pass, Role, Scene, Shape, Size, Step, Steps, scene};
use crate::report::names::columns_drawn;
use crate::report::svg::Svg;

/// The room above a scene, for what the colors mean.
pub(super) const ABOVE: f64 = 46.0;
/// The room below a scene, for formulas and the sentence.
pub(super) const BELOW: f64 = 214.0;
/// A column of the sentence, in units of the drawing.
const COLUMN: f64 = 12.1;
/// The distance of its lines.
const LINE: f64 = 30.0;
/// Pixels are drawn in so many shades of each sign.
const SHADES: f32 = 8.0;
/// The most lines of formulas below a scene.
const MOST_FORMULA_LINES: usize = 3;
/// The columns of one, and the distance to the next.
const FORMULA_COLUMNS: usize = 54;
const FORMULA_LINE: f64 = 28.0;
/// From the end of a scene to the formulas, and from there to the sentence.
pub(super) const TO_FORMULAS: f64 = 8.0;
pub(super) const TO_SENTENCE: f64 = 98.0;

/// A drawing of an example that needs nothing else: at a step of its animation, counted from 1, or when all are done.
///
/// # Errors
/// If there is no such step.
pub fn picture(steps: &Steps, step: Option<usize>, catalog: &Catalog) -> Result<String> {
    let all = super::animation::seen(steps);
    let step = match step {
        None => None,
        Some(number) => Some(number.checked_sub(1).and_then(|at| all.get(at)).ok_or_else(|| {
            Error::configuration(format!("there is no step {number}"))
                .help(format!("choose from 1 to {}", all.len()))
        })?),
    };
    Ok(picture_at(steps, step, catalog))
}

/// A drawing of a step of any level; of the end without one.
pub fn picture_at(steps: &Steps, step: Option<&Step>, catalog: &Catalog) -> String {
    let scene = scene(steps, step, Size::fitting(steps), catalog);
    let Size { width, height } = scene.size;
    let mut drawing = Svg::part();
    let described = format!("{} {}", scene.name, scene.sentence);
    let whole = ABOVE + height + if step.is_some() { BELOW } else { 20.0 };
    root(&mut drawing, (width, whole), &described, |drawing| {
        drawing.labeled("style", &[], STYLE);
        background(drawing, width, whole);
        legend(drawing, steps, width, catalog, None);
        drawing.element_with("g", &[("transform", &format_args!("translate(0 {ABOVE})"))], |drawing| {
            // What travels would hide what it meets, and what goes is gone when the step is done.
            let stays = |shape: &&Shape| shape.role != Role::Traveler && shape.during[1] >= 1.0;
            for shape in scene.shapes.iter().filter(stays) {
                drawing.add(&markup(shape, true));
            }
        });
        if step.is_some() {
            let top = ABOVE + height + TO_FORMULAS;
            drawing.add(&formulas(&scene, top));
            drawing.add(&subtitle(&scene.sentence, width, top + TO_SENTENCE));
        }
    });
    drawing.finish_part()
}

/// The root of a drawing, which says what it shows.
pub(super) fn root(
    drawing: &mut Svg,
    (width, height): (f64, f64),
    name: &str,
    content: impl FnOnce(&mut Svg),
) {
    drawing.element_with(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("class", &"pb"),
            ("viewBox", &format_args!("0 0 {width} {height}")),
            ("width", &width),
            ("height", &height),
            ("role", &"img"),
            ("aria-label", &name),
        ],
        |drawing| {
            drawing.add("\n");
            content(drawing);
        },
    );
}

pub(super) fn background(drawing: &mut Svg, width: f64, height: f64) {
    drawing.element("rect", &[("class", &"paper"), ("width", &width), ("height", &height), ("rx", &10)]);
}

/// Adds what shows that a pass is at work.
pub(super) type ShowsPass<'a> = dyn Fn(&mut Svg, Pass, &str) + 'a;

/// The passes, each in its color; of an animation, those that are not at work are dim, and `of_pass` is what shows one.
pub(super) fn legend(
    drawing: &mut Svg,
    steps: &Steps,
    width: f64,
    catalog: &Catalog,
    of_pass: Option<&ShowsPass<'_>>,
) {
    let mut passes = vec![(Pass::Forward, "scene.forward"), (Pass::Backward, "scene.backward")];
    if steps.formula().is_none() {
        passes.insert(1, (Pass::Cost, "scene.cost_pass"));
        passes.push((Pass::Update, "scene.update"));
    }
    let between = (width - 48.0) / passes.len() as f64;
    for (at, (pass, key)) in passes.into_iter().enumerate() {
        let x = 24.0 + between * (at as f64 + 0.5);
        let class = pass_class(pass);
        let part = |class: &str, line: &str| {
            let mut part = Svg::part();
            let bar =
                [("x", x - between / 2.0 + 4.0), ("y", 36.0), ("width", between - 8.0), ("height", 3.0)];
            let mut attributes: Vec<(&str, &dyn std::fmt::Display)> = vec![("class", &line)];
            attributes.extend(bar.iter().map(|(name, x)| (*name, x as &dyn std::fmt::Display)));
            part.element("rect", &attributes);
            part.text(&[("class", &class), ("x", &x), ("y", &27)], catalog.get(key));
            part.finish_part()
        };
        match of_pass {
            None => drawing.add(&part(&format!("pass {class}"), &format!("bar {class}"))),
            Some(of_pass) => {
                drawing.add(&part("pass dim", "bar dim"));
                of_pass(drawing, pass, &part(&format!("pass {class}"), &format!("bar {class}")));
            }
        }
    }
}

pub(super) fn pass_class(pass: Pass) -> &'static str {
    match pass {
        Pass::Forward => "fw",
        Pass::Cost => "co",
        Pass::Backward => "bw",
        Pass::Update => "up",
    }
}

/// One shape. With `is_named`, its sentence is its title.
pub(super) fn markup(shape: &Shape, is_named: bool) -> String {
    let mut part = Svg::part();
    let mut class = shape.role.name();
    if let Some(pass) = shape.pass {
        class = format!("{class} {}", pass_class(pass));
    }
    if shape.is_active && shape.role != Role::Traveler {
        class.push_str(" on");
    }
    if shape.role == Role::Edge && shape.strength.is_some_and(|strength| strength < 0.0) {
        class.push_str(" minus");
    }
    let attributes: &[(&str, &dyn std::fmt::Display)] = &[("class", &class)];
    let draw = |part: &mut Svg| {
        if is_named {
            part.labeled("title", &[], &shape.name);
        }
        figure(part, shape);
    };
    match &shape.figure {
        // Named, each is an object of its own to assistive technology.
        _ if is_named => part.element_with(
            "g",
            &[("class", &class), ("role", &"img"), ("aria-label", &shape.name)],
            |part| figure(part, shape),
        ),
        Figure::Text { .. } => {
            let mut own = Svg::part();
            figure(&mut own, shape);
            part.add(&own.finish_part().replacen("<text", &format!("<text class=\"{class}\""), 1));
        }
        _ => part.element_with("g", attributes, draw),
    }
    part.finish_part()
}

fn figure(part: &mut Svg, shape: &Shape) {
    match &shape.figure {
        Figure::Circle { x, y, r } => part.element("circle", &[("cx", x), ("cy", y), ("r", r)]),
        Figure::Box { x, y, width, height } => {
            let round = if shape.role == Role::Spine { (width / 2.0).min(3.0) } else { 9.0 };
            let mut attributes: Vec<(&str, &dyn std::fmt::Display)> =
                vec![("x", x), ("y", y), ("width", width), ("height", height), ("rx", &round)];
            let shade = shape.strength.map(|strength| format!("{:.2}", 0.1 + 0.9 * strength));
            if let Some(shade) = &shade {
                attributes.push(("fill-opacity", shade));
            }
            part.element("rect", &attributes);
        }
        Figure::Line { from, to } => {
            let width = format!("{:.1}", 1.2 + 3.0 * shape.strength.unwrap_or(0.0).abs());
            part.element(
                "line",
                &[
                    ("x1", &from[0]),
                    ("y1", &from[1]),
                    ("x2", &to[0]),
                    ("y2", &to[1]),
                    ("stroke-width", &width),
                ],
            );
        }
        Figure::Text { x, y, anchor, size } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            part.text(&[("x", x), ("y", y), ("text-anchor", &anchor), ("font-size", size)], &shape.text);
        }
        Figure::Pixels { x, y, width, height, columns, levels } => {
            pixels(part, [*x, *y, *width, *height], *columns, levels);
        }
        Figure::Way { .. } => pill(part, &shape.text),
    }
}

/// A number that travels, around the origin.
fn pill(part: &mut Svg, text: &str) {
    let width = 10.4 * columns_drawn(text) as f64 + 14.0;
    part.element(
        "rect",
        &[("x", &(-width / 2.0)), ("y", &-14), ("width", &width), ("height", &28), ("rx", &14)],
    );
    part.text(&[("y", &6), ("text-anchor", &"middle"), ("font-size", &18)], text);
}

/// Squares of one shade are one path.
fn pixels(part: &mut Svg, [x, y, width, height]: [f64; 4], columns: usize, levels: &[f32]) {
    let columns = columns.max(1);
    let rows = levels.len().div_ceil(columns).max(1);
    part.element(
        "rect",
        &[("class", &"frame"), ("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", &3)],
    );
    let near = |x: f64| (x * 100.0).round() / 100.0;
    let (w, h) = (near(width / columns as f64), near(height / rows as f64));
    let shade_of = |level: &f32| (level * SHADES).round() as i32;
    let mut shades: Vec<i32> = levels.iter().map(shade_of).filter(|shade| *shade != 0).collect();
    sort_by_key(&mut shades, |shade| *shade);
    shades.dedup();
    for shade in shades {
        let own = (0..levels.len()).filter(|&at| shade_of(&levels[at]) == shade);
        let path: String = own
            .map(|at| {
                let (column, row) = ((at % columns) as f64, (at / columns) as f64);
                format!("M{} {}h{w}v{h}h-{w}z", near(x + column * w), near(y + row * h))
            })
            .collect();
        let class = if shade < 0 { "less" } else { "more-ink" };
        let opacity = f64::from(shade.abs()) / f64::from(SHADES);
        part.element("path", &[("class", &class), ("fill-opacity", &opacity), ("d", &path)]);
    }
}

/// The formulas of a step, centered on lines below a scene; those for which there are no lines left are left out.
pub(super) fn formulas(scene: &Scene, top: f64) -> String {
    let mut lines: Vec<String> = Vec::new();
    for formula in &scene.formulas {
        // A product stays together, and a sign with what follows it.
        let whole = formula.replace(" * ", "\u{a0}×\u{a0}").replace(" = ", " =\u{a0}");
        let whole = whole.replace(" + ", " +\u{a0}").replace(" - ", " -\u{a0}");
        let own = wrap_by(columns_drawn, &whole, FORMULA_COLUMNS, 0);
        if lines.len() + own.lines().count() <= MOST_FORMULA_LINES {
            lines.extend(own.lines().map(str::to_owned));
        }
    }
    let mut part = Svg::part();
    for (at, line) in lines.iter().enumerate() {
        let y = top + 20.0 + FORMULA_LINE * at as f64;
        part.text(
            &[("class", &"formula"), ("x", &(scene.size.width / 2.0)), ("y", &y), ("text-anchor", &"middle")],
            line,
        );
    }
    part.finish_part()
}

/// A sentence, in lines.
pub(super) fn subtitle(text: &str, width: f64, top: f64) -> String {
    let columns = ((width - 48.0) / COLUMN) as usize;
    // An equation stays together.
    let text =
        text.replace(" = ", "\u{a0}=\u{a0}").replace(" → ", "\u{a0}→\u{a0}").replace(" * ", "\u{a0}×\u{a0}");
    let text = wrap_by(columns_drawn, &text, columns, 0);
    let lines: Vec<&str> = text.lines().collect();
    let mut part = Svg::part();
    part.element_with("text", &[("class", &"said"), ("text-anchor", &"middle")], |part| {
        for (at, line) in lines.iter().enumerate() {
            let y = top + 26.0 + LINE * at as f64;
            part.labeled("tspan", &[("x", &(width / 2.0)), ("y", &y)], line);
        }
    });
    part.finish_part()
}

/// Colors of at least 4.5 to 1 on their paper, in both.
pub(super) const STYLE: &str = "\
.pb{--paper:#fff;--ink:#1b2330;--dim:#5b6675;--line:#b9c2ce;--soft:#f3f5f9;--fw:#1a5bbd;--co:#6d3bb0;--bw:#b3261e;\
--gr:#8a4a00;--up:#15693a;font-family:system-ui,'Segoe UI',Roboto,'Noto Sans','Noto Sans KR','Noto Sans CJK KR',\
'Malgun Gothic','Apple SD Gothic Neo',sans-serif;max-width:100%;height:auto}\
@media(prefers-color-scheme:dark){.pb{--paper:#12161d;--ink:#e8ecf2;--dim:#9da8b7;--line:#465162;--soft:#1c222c;\
--fw:#86b7ff;--co:#cba8ff;--bw:#ff9a8c;--gr:#ffbe66;--up:#7ddba0}}\
.pb .paper{fill:var(--paper)}.pb text{fill:var(--ink);font-variant-numeric:tabular-nums}\
.pb circle,.pb .cost rect,.pb .layer rect{fill:var(--soft);stroke:var(--dim);stroke-width:1.6}\
.pb .gate circle,.pb .variable circle{stroke-width:1.6}\
.pb line{stroke:var(--line);stroke-linecap:round}.pb .edge line{stroke:var(--dim);stroke-opacity:.55}\
.pb .edge.bw line{stroke:var(--gr)}.pb .minus line{stroke-dasharray:6 5}\
.pb .flow line{stroke-dasharray:2 5}.pb .flow.on line{stroke:var(--ink);stroke-dasharray:none;stroke-width:2}\
.pb .edge.on line{stroke:var(--ink);stroke-opacity:.85}\
.pb .unit.on circle,.pb .gate.on circle,.pb .cost.on rect,.pb .layer.on rect{stroke:var(--ink);stroke-width:3.2}\
.pb .spine rect{fill:var(--line)}.pb .spine.bw rect{fill:var(--bw)}.pb .spine.on rect{stroke:var(--ink);stroke-width:2.5}\
.pb .frame{fill:var(--soft);stroke:var(--line)}.pb .less{fill:var(--fw)}.pb .more-ink{fill:var(--ink)}\
.pb .picture.on .frame{stroke:var(--ink);stroke-width:3}\
.pb .weight,.pb .gradient,.pb .delta,.pb .value,.pb .derivative,.pb .target,.pb .prediction,.pb .bias,.pb .caption{\
paint-order:stroke;stroke:var(--paper);stroke-width:5px;stroke-linejoin:round}\
.pb .weight text,.pb .gradient text,.pb .delta text,.pb .value text,.pb .derivative text,.pb .target text,\
.pb .prediction text,.pb .bias text{paint-order:stroke;stroke:var(--paper);stroke-width:5px;stroke-linejoin:round}\
.pb .caption,.pb .caption text,.pb .bias,.pb .bias text,.pb .more,.pb .more text,.pb .target,.pb .target text{fill:var(--dim)}\
.pb .sum,.pb .sum text{fill:var(--dim)}.pb .activation,.pb .value,.pb .delta,.pb .derivative,.pb .activation text,\
.pb .value text,.pb .delta text,.pb .derivative text{font-weight:650}\
.pb .value.co,.pb .value.co text{stroke:none}.pb text.fw,.pb .fw text{fill:var(--fw)}.pb text.co,.pb .co text{fill:var(--co)}\
.pb text.bw,.pb .bw text{fill:var(--bw)}.pb .gradient.bw,.pb .gradient.bw text{fill:var(--gr);font-weight:600}\
.pb text.up,.pb .up text{fill:var(--up);font-weight:650}\
.pb .traveler rect{fill:var(--paper);stroke:var(--ink);stroke-width:1.8}.pb .traveler.fw rect{stroke:var(--fw)}\
.pb .traveler.co rect{stroke:var(--co)}.pb .traveler.bw rect{stroke:var(--bw)}.pb .traveler text{font-weight:650}\
.pb .pass{font-size:17px;text-anchor:middle;font-weight:600}.pb .pass:not(.dim){paint-order:stroke;stroke:var(--paper);stroke-width:7px}.pb .pass.dim{fill:var(--dim);font-weight:400}\
.pb .bar{fill:var(--line)}.pb .bar.fw{fill:var(--fw)}.pb .bar.co{fill:var(--co)}.pb .bar.bw{fill:var(--bw)}\
.pb .bar.up{fill:var(--up)}.pb .said{font-size:23px}.pb .formula{font-size:22px;fill:var(--dim)}\
@media(max-width:520px){.pb .pass{font-size:23px}.pb .said{font-size:24px}.pb .formula{font-size:24px}}";
