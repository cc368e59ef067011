//! An animation: the scenes of all steps one after another, as one drawing that moves by itself.
//!
//! What is drawn in several scenes is one element that is shown while they last; keyframes say when. Numbers travel by
//! keyframes of their own. Nothing but style sheets moves it, so it also moves as the picture of a page. Who prefers
//! no motion sees the end. The same sentences are cues of a subtitle file.

use super::picture::{
    ABOVE, BELOW, STYLE, TO_FORMULAS, TO_SENTENCE, background, formulas, legend, markup, pass_class, root,
    subtitle,
};
use crate::compact::{Map, sort_by_key};
use crate::explain::{Catalog, Figure, Level, Makes, Pass, Role, Scene, Shape, Size, Step, Steps, scene};
use crate::report::svg::Svg;
use std::fmt::Write;

/// A network of at most so many units is followed unit by unit.
const MOST_UNITS: usize = 12;
/// With more steps, they share their sentences.
const MOST_SAID: usize = 48;
/// How long a step lasts, in seconds: the first of its kind, and those like it.
const FIRST: f64 = 4.0;
const AGAIN: f64 = 2.4;
/// How long the end lasts.
const END: f64 = 6.0;
/// How long all steps last that share their sentences, and how long a sentence at least.
const SHARED: f64 = 45.0;
const CUE: f64 = 3.0;
/// How long something takes to appear.
const FADE: f64 = 0.22;

/// An animation with its subtitles.
#[derive(Debug, Clone, PartialEq)]
pub struct Animation {
    /// The drawing, which needs nothing else.
    pub svg: String,
    /// The cues, in their order.
    pub cues: Vec<Cue>,
}

/// A sentence and when it is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// When it appears, in seconds.
    pub from: f64,
    /// When it is gone.
    pub until: f64,
    /// The sentence.
    pub sentence: String,
}

impl Animation {
    /// The subtitles as a WebVTT file.
    pub fn vtt(&self) -> String {
        let time = |seconds: f64| {
            let millis = (seconds * 1000.0).round() as u64;
            let (minutes, rest) = (millis / 60_000, millis % 60_000);
            format!("{:02}:{:02}:{:02}.{:03}", minutes / 60, minutes % 60, rest / 1000, rest % 1000)
        };
        let mut out = String::from("WEBVTT\n");
        for (at, cue) in self.cues.iter().enumerate() {
            let sentence = cue.sentence.replace('&', "&amp;").replace('<', "&lt;").replace("-->", "→");
            let _ = write!(out, "\n{}\n{} --> {}\n{sentence}\n", at + 1, time(cue.from), time(cue.until));
        }
        out
    }
}

/// A step in time; the last one has none.
struct Frame {
    step: Option<Step>,
    from: f64,
    seconds: f64,
    scene: Scene,
}

/// Something that is drawn while some scenes last.
struct Element {
    role: Role,
    body: String,
    /// When it is seen, in seconds.
    spans: Vec<[f64; 2]>,
    /// Of a number that travels: its way.
    way: Option<[[f64; 2]; 2]>,
}

/// The animation of an example: its forward pass, its cost, its backward pass and its update, in the steps that suit
/// its size.
pub fn animation(steps: &Steps, catalog: &Catalog) -> Animation {
    let frames = frames(steps, catalog);
    let total = frames.last().map_or(0.0, |last| last.from + last.seconds);
    let cues = cues(&frames, steps, catalog);
    let Size { width, height } = Size::fitting(steps);
    let mut keyframes = Keyframes { total, named: Map::new() };
    let mut elements: Vec<Element> = Vec::new();
    let mut known: Map<String, usize> = Map::new();
    for frame in &frames {
        for shape in &frame.scene.shapes {
            add(&mut elements, &mut known, shape, frame);
        }
    }
    sort_by_key(&mut elements, |element| element.role);
    let mut body = Svg::part();
    body.element_with("g", &[("transform", &format_args!("translate(0 {ABOVE})"))], |body| {
        body.add("\n");
        for element in &elements {
            body.add(&keyframes.animated(element));
        }
    });
    let below = ABOVE + height + TO_FORMULAS;
    for frame in &frames {
        let text = formulas(&frame.scene, below);
        if !text.is_empty() {
            let span = [frame.from, frame.from + frame.seconds];
            body.add(&keyframes.shown(&text, &[span], "g", "formulas"));
        }
    }
    for cue in &cues {
        let text = subtitle(&cue.sentence, width, below + TO_SENTENCE);
        body.add(&keyframes.shown(&text, &[[cue.from, cue.until]], "g", "cue"));
    }
    let mut ribbon = Svg::part();
    let spans_of = |pass: Pass| -> Vec<[f64; 2]> {
        let own = frames.iter().filter(|frame| frame.step.as_ref().is_some_and(|step| step.pass == pass));
        merged(own.map(|frame| [frame.from, frame.from + frame.seconds]))
    };
    let names = std::cell::RefCell::new(&mut keyframes);
    legend(
        &mut ribbon,
        steps,
        width,
        catalog,
        Some(&|ribbon: &mut Svg, pass, part: &str| {
            ribbon.add(&names.borrow_mut().shown(part, &spans_of(pass), "g", pass_class(pass)));
        }),
    );
    let name = frames.last().map_or(String::new(), |last| last.scene.name.clone());
    let told: Vec<&str> = cues.iter().map(|cue| cue.sentence.as_str()).collect();
    let style = format!("{STYLE}{}", keyframes.css());
    let whole = ABOVE + height + BELOW;
    let mut drawing = Svg::part();
    root(&mut drawing, (width, whole), &name, |drawing| {
        drawing.labeled("desc", &[], &told.join(" "));
        drawing.labeled("style", &[], &style);
        drawing.add("\n");
        background(drawing, width, whole);
        drawing.add(&ribbon.finish_part());
        drawing.add(&body.finish_part());
        let (y, class) = (whole - 5.0, "progress");
        drawing.element("rect", &[("class", &class), ("y", &y), ("width", &width), ("height", &5)]);
    });
    Animation { svg: drawing.finish_part(), cues }
}

/// The steps that are seen: of a small network unit by unit, of a small batch example by example, of others layer by
/// layer.
pub(super) fn seen(steps: &Steps) -> Vec<Step> {
    let closer = steps.network().and_then(|(_, trace)| {
        let units: usize = trace.dense().iter().map(|dense| dense.units).sum();
        let is_small = trace.images().is_empty() && units <= MOST_UNITS;
        match steps.rows() {
            1 => is_small.then_some(Level::Unit),
            _ => Some(Level::Example),
        }
    });
    let seen = closer.map(|level| steps.at(level)).filter(|seen| seen.len() <= MOST_SAID);
    seen.unwrap_or_else(|| steps.at(Level::Layer))
}

/// The steps in time, each with its scene, and the end.
fn frames(steps: &Steps, catalog: &Catalog) -> Vec<Frame> {
    let seen = seen(steps);
    let is_shared = seen.len() > MOST_SAID;
    let each = SHARED / seen.len().max(1) as f64;
    let mut kinds: Vec<(Pass, Makes, bool)> = Vec::new();
    let last_layer = seen.iter().filter_map(|step| step.layer).max();
    let mut from = 0.0;
    let mut frames = Vec::new();
    let size = Size::fitting(steps);
    for step in seen.into_iter().map(Some).chain([None]) {
        let kind = step.as_ref().map(|step| {
            let is_sum = step.pass == Pass::Cost && step.unit.is_none();
            let is_last = step.makes == Makes::Deltas && step.layer == last_layer;
            (step.pass, step.makes, is_sum || is_last)
        });
        let seconds = match kind {
            None => END,
            Some(_) if is_shared => each,
            Some(kind) if kinds.contains(&kind) => AGAIN,
            Some(kind) => {
                kinds.push(kind);
                FIRST
            }
        };
        let scene = scene(steps, step.as_ref(), size, catalog);
        frames.push(Frame { step, from, seconds, scene });
        from += seconds;
    }
    frames
}

/// A sentence for each step; where they are too many, for each pass, and again after some seconds.
fn cues(frames: &[Frame], steps: &Steps, catalog: &Catalog) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    let is_shared = frames.len() > MOST_SAID + 1;
    let mut pass = None;
    for frame in frames {
        let until = frame.from + frame.seconds;
        let own = frame.step.as_ref().map(|step| step.pass);
        let last = cues.last_mut();
        if let (true, Some(last), Some(step)) = (is_shared, last, &frame.step)
            && own == pass
        {
            // The norm of a delta says more than that the pass goes on.
            let size = frame.scene.shapes.iter().find(|shape| shape.id == "spine.delta");
            let is_due = frame.from - last.from >= CUE && step.makes == Makes::Deltas;
            match size.filter(|_| is_due) {
                Some(size) => cues.push(Cue { from: frame.from, until, sentence: size.name.clone() }),
                None => last.until = until,
            }
            continue;
        }
        let sentence = match own.filter(|_| is_shared) {
            Some(own) => {
                let all = steps.at(Level::Pass);
                let step = all.iter().find(|step| step.pass == own);
                step.map_or(String::new(), |step| steps.describe(step, catalog).sentence)
            }
            None => frame.scene.sentence.clone(),
        };
        pass = own;
        cues.push(Cue { from: frame.from, until, sentence });
    }
    cues
}

/// Adds a shape of a frame: the same as before goes on.
fn add(elements: &mut Vec<Element>, known: &mut Map<String, usize>, shape: &Shape, frame: &Frame) {
    let span = shape.during.map(|part| frame.from + part * frame.seconds);
    let body = markup(shape, false);
    let way = match shape.figure {
        Figure::Way { from, to } => Some([from, to]),
        _ => None,
    };
    if way.is_none()
        && let Some(&at) = known.get(&body)
    {
        let spans = &mut elements[at].spans;
        match spans.last_mut() {
            Some(last)
                if span[0] - last[1] < 1e-9 || shape.during[0] > 0.0 && is_same(last[1], frame.from) =>
            {
                last[1] = span[1];
            }
            _ => spans.push(span),
        }
        return;
    }
    known.insert(body.clone(), elements.len());
    elements.push(Element { role: shape.role, body, spans: vec![span], way });
}

fn is_same(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

/// Spans that follow each other as one.
fn merged(spans: impl Iterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    let mut merged: Vec<[f64; 2]> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if is_same(last[1], span[0]) => last[1] = span[1],
            _ => merged.push(span),
        }
    }
    merged
}

/// Keyframes by what they do, each with a number.
struct Keyframes {
    total: f64,
    named: Map<String, usize>,
}

impl Keyframes {
    fn name(&mut self, keyframes: String) -> usize {
        let next = self.named.len();
        *self.named.or_insert(keyframes, next)
    }

    fn percent(&self, seconds: f64) -> String {
        let text = format!("{:.2}", 100.0 * (seconds / self.total).clamp(0.0, 1.0));
        text.trim_end_matches('0').trim_end_matches('.').to_owned() + "%"
    }

    /// An element while its spans last.
    fn animated(&mut self, element: &Element) -> String {
        if let (Some([from, to]), [span]) = (element.way, &element.spans[..]) {
            let at = |[x, y]: [f64; 2]| format!("transform:translate({x}px,{y}px)");
            let (begin, end) = (span[0], span[1]);
            let fade = FADE.min((end - begin) / 4.0);
            let keyframes = format!(
                "0%,{}{{opacity:0;{}}}{}{{opacity:1;{};animation-timing-function:ease-in-out}}\
                 {}{{opacity:1;{}}}{},100%{{opacity:0;{}}}",
                self.percent(begin),
                at(from),
                self.percent(begin + fade),
                at(from),
                self.percent(end),
                at(to),
                self.percent(end + fade),
                at(to)
            );
            let name = self.name(keyframes);
            return element.body.replacen("class=\"", &format!("class=\"a o k{name} "), 1);
        }
        self.shown(&element.body, &element.spans, "", "")
    }

    /// What is seen while some spans last; `group` puts it into an element with a class.
    fn shown(&mut self, body: &str, spans: &[[f64; 2]], group: &str, class: &str) -> String {
        let is_at_end = spans.last().is_some_and(|last| is_same(last[1], self.total));
        let is_always = is_at_end && matches!(spans, [[from, _]] if *from <= 0.0);
        let animated = if is_always {
            String::new()
        } else {
            let mut keyframes = String::new();
            for (at, &[from, until]) in spans.iter().enumerate() {
                let fade = FADE.min((until - from) / 3.0);
                if from <= 0.0 {
                    keyframes.push_str("0%{opacity:1}");
                } else {
                    let dark = if at == 0 { "0%," } else { "" };
                    let _ = write!(
                        keyframes,
                        "{dark}{}{{opacity:0}}{}{{opacity:1}}",
                        self.percent(from),
                        self.percent(from + fade)
                    );
                }
                match until < self.total - 1e-9 {
                    true => {
                        let last = if at + 1 == spans.len() { ",100%" } else { "" };
                        let _ = write!(
                            keyframes,
                            "{}{{opacity:1}}{}{last}{{opacity:0}}",
                            self.percent(until),
                            self.percent(until + fade)
                        );
                    }
                    false => keyframes.push_str("100%{opacity:1}"),
                }
            }
            let hidden = if is_at_end { "" } else { "o " };
            format!("a {hidden}k{} ", self.name(keyframes))
        };
        match group {
            "" => body.replacen("class=\"", &format!("class=\"{animated}"), 1),
            _ => format!("<{group} class=\"{animated}{class}\">{}</{group}>\n", body.trim_end()),
        }
    }

    fn css(&self) -> String {
        let mut css = format!(
            ".pb .a{{animation:{}s linear infinite}}.pb .o{{opacity:0}}.pb:hover .a{{animation-play-state:paused}}\
             .pb .progress{{fill:var(--fw);transform-origin:0 0;animation:progress {}s linear infinite}}\
             @keyframes progress{{0%{{transform:scaleX(0)}}100%{{transform:scaleX(1)}}}}",
            self.total, self.total
        );
        for (keyframes, name) in self.named.iter() {
            let _ = write!(css, ".pb .k{name}{{animation-name:k{name}}}@keyframes k{name}{{{keyframes}}}");
        }
        css.push_str("@media(prefers-reduced-motion:reduce){.pb .a,.pb .progress{animation:none}}");
        css
    }
}
