//! Placed lines as an outline: markers, slots, what configures a step (repositories spec, section 7).

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;

use crate::base::{FileId, FlowIndex, Sign};
use crate::repo::bundle::Repositories;
use crate::repo::entry::{ConceptEntry, InferenceEntry};
use crate::syntax::{self, Expr, Marker, Note, Outline, OutlineLine, SlotKey, Subject, Variant};

use super::notes::{About, of_value};
use super::place::{Lines, Placed, Role, helpers};
use super::told::Told;

struct Writer<'a> {
    lines: &'a Lines,
    concepts: FxHashMap<&'a str, &'a ConceptEntry>,
    entries: FxHashMap<FlowIndex, &'a InferenceEntry>,
    helpers: FxHashMap<&'a str, &'a str>,
    about: FxHashMap<&'a str, About>,
    /// The slots of values by their line.
    slots: FxHashMap<FlowIndex, u64>,
    legacy: bool,
    /// Names of inner lines that head an inference.
    inner: FxHashSet<&'a str>,
}

pub(super) fn outline(repositories: &Repositories, lines: Lines) -> Outline {
    let mut writer = Writer {
        lines: &lines,
        concepts: repositories.concepts.iter().map(|c| (c.name(), c)).collect(),
        entries: repositories
            .inferences
            .iter()
            .filter_map(|i| Some((i.flow_index().parse().ok()?, i)))
            .collect(),
        helpers: helpers(repositories),
        about: FxHashMap::default(),
        slots: FxHashMap::default(),
        legacy: super::generation(repositories) == 1,
        inner: FxHashSet::default(),
    };
    let inner = lines.iter().filter(|(i, _)| i.parts().len() > 1 && writer.entries.contains_key(*i));
    writer.inner = inner.map(|(_, p)| p.name.as_str()).collect();
    writer.about = about(repositories, &lines, writer.legacy);
    writer.bind();
    let mut outline = Outline::default();
    let mut said = FxHashSet::default();
    for (index, placed) in &lines {
        let line = writer.line(index, placed, said.insert(placed.name.as_str()));
        outline.lines.push(line);
    }
    outline
}

/// What the values of a plan are, beside their entries.
fn about<'a>(repositories: &'a Repositories, lines: &Lines, legacy: bool) -> FxHashMap<&'a str, About> {
    let mut about: FxHashMap<&str, About> = FxHashMap::default();
    for concept in &repositories.concepts {
        about.insert(concept.name(), About { legacy, ..About::default() });
    }
    let mut computed: FxHashSet<&str> = FxHashSet::default();
    for entry in &repositories.inferences {
        let syntax = |field: &str| entry.interpretation()?.get("syntax")?.get(field);
        let text = |field: &str| syntax(field).and_then(Json::as_str);
        let own_append = text("marker") == Some("+") && text("assign_destination") == Some(entry.target());
        if !own_append {
            computed.insert(entry.target());
        }
        computed.extend(text("CurrentLoopBaseConcept"));
        for carried in syntax("InLoopConcept").and_then(Json::as_object).into_iter().flat_map(|m| m.keys()) {
            if let Some(about) = about.get_mut(carried.as_str()) {
                about.carried = true;
            }
        }
        let function = entry.function().unwrap_or_default();
        let inferred = syntax("by_axes").is_some() && !function.contains("%:") && !function.contains("%-");
        for value in entry.values().into_iter().filter(|_| inferred) {
            if let Some(about) = about.get_mut(value) {
                about.declared = true;
            }
        }
    }
    let placed: FxHashSet<&str> =
        lines.values().filter(|p| p.role != Role::Function).map(|p| p.name.as_str()).collect();
    for (name, about) in &mut about {
        about.leaf = !computed.contains(name) && placed.contains(name) && !has_version(name);
    }
    about
}

fn has_version(name: &str) -> bool {
    let end = name.trim_end_matches(|c: char| c.is_ascii_digit());
    end.len() < name.len() && end.ends_with('*')
}

/// How a function text reads.
struct Reading {
    expr: Option<Expr>,
}

impl Reading {
    fn of(text: &str) -> Self {
        let plan = format!("{{x}}\n    <= {}\n", syntax::one_line(text));
        let (tree, _) = syntax::parse(FileId(0), &plan, None);
        Self { expr: tree.nodes.get(1).map(|n| n.concept.expr.clone()) }
    }

    fn numbers(&self) -> Option<u32> {
        let body = match &self.expr {
            Some(Expr::Semantic(s)) => &s.body,
            Some(Expr::Input(i)) => &i.body,
            _ => return None,
        };
        let numbers = body.slots.iter().map(|s| match s.key {
            SlotKey::Number(n) => n,
            SlotKey::From(_) | SlotKey::Any => u32::MAX,
            SlotKey::Name(_) => 0,
        });
        numbers.max()
    }
}

impl Writer<'_> {
    fn children<'s>(&'s self, index: &FlowIndex) -> impl Iterator<Item = (&'s FlowIndex, &'s Placed)> {
        let above = index.clone();
        (1..).map_while(move |n| self.lines.get_key_value(&above.child(n)))
    }

    /// Gives values their slots where the order of the lines does not say them.
    fn bind(&mut self) {
        let mut bound = FxHashMap::default();
        for (index, entry) in &self.entries {
            let Some(order) =
                entry.interpretation().and_then(|w| w.get("value_order")).and_then(Json::as_object)
            else {
                continue;
            };
            let mut seen = FxHashSet::default();
            let values: Vec<(&FlowIndex, Option<u64>)> = self
                .children(index)
                .filter(|(_, p)| matches!(p.role, Role::Value) && seen.insert(p.name.as_str()))
                .map(|(i, p)| (i, order.get(&p.name).and_then(Json::as_u64)))
                .collect();
            let natural = values.iter().zip(1..).all(|((_, number), n)| *number == Some(n));
            let last = Reading::of(entry.function().unwrap_or_default()).numbers();
            for (line, number) in values.iter().filter_map(|(l, n)| Some((*l, (*n)?))) {
                let bind = match last {
                    None => !natural,
                    Some(_) if !self.legacy => true,
                    Some(last) => !natural || number <= u64::from(last),
                };
                if bind && number > 0 {
                    bound.insert(line.clone(), number);
                }
            }
        }
        self.slots = bound;
    }

    fn line(&self, index: &FlowIndex, placed: &Placed, first: bool) -> OutlineLine {
        let depth = u32::try_from(index.parts().len().saturating_sub(1)).unwrap_or(u32::MAX);
        let entry = self.entries.get(index).copied();
        let (marker, text) = self.marked(index, placed);
        let mut line = OutlineLine::new(depth, marker, text);
        if placed.role == Role::Function {
            let notes = index.parent().and_then(|p| self.entries.get(&p)).map(|e| self.step(e, placed));
            line.below.extend(notes.into_iter().flatten().map(Note::annotation));
        }
        if let Some(word) = entry.and_then(|e| self.declared_sequence(e)) {
            line.inline.push(match self.legacy {
                true => format!("{index}. {word}"),
                false => format!("?{{sequence}}: {word}"),
            });
        }
        if let Some(concept) = self.concepts.get(placed.name.as_str()).filter(|_| first) {
            let notes = match placed.role {
                Role::Function => described(concept),
                _ => of_value(concept, self.about.get(placed.name.as_str()).copied().unwrap_or_default()),
            };
            for note in notes {
                line.below.push(if note.starts_with("/:") {
                    Note::comment(note)
                } else {
                    Note::annotation(note)
                });
            }
        }
        line
    }

    fn marked(&self, index: &FlowIndex, placed: &Placed) -> (Marker, String) {
        let name = &placed.name;
        let Some(parent) = index.parent() else {
            if let Some(inner) = name.strip_prefix(":<:") {
                return (Marker::Output, inner.to_owned());
            }
            return match self.inner.contains(name.as_str()) || placed.role == Role::Helper {
                true => (Marker::None, name.clone()),
                false => (Marker::Output, format!("({name})")),
            };
        };
        match placed.role {
            Role::Function => (Marker::Function, name.clone()),
            Role::Helper if self.entries.contains_key(&parent) => (Marker::Context, name.clone()),
            Role::Value | Role::Helper => match self.slots.get(index).filter(|_| !name.contains("<:{")) {
                Some(number) => (Marker::Value, format!("{name}<:{{{number}}}>")),
                None => (Marker::Value, name.clone()),
            },
            Role::Context => (Marker::Context, self.context(&parent, name)),
        }
    }

    /// A `<*` line beside a loop says what it is of the loop.
    fn context(&self, parent: &FlowIndex, name: &str) -> String {
        let syntax = self.entries.get(parent).and_then(|e| e.interpretation()).and_then(|w| w.get("syntax"));
        let text = |field: &str| syntax.and_then(|s| s.get(field)).and_then(Json::as_str);
        if text("CurrentLoopBaseConcept") == Some(name)
            && let Some(base) = text("LoopBaseConcept")
        {
            return format!("{name}<$({base})*>");
        }
        let carried = syntax.and_then(|s| s.get("InLoopConcept")).and_then(|c| c.get(name));
        let lag = carried.and_then(|c| c.as_u64().or_else(|| c.get("carry_over")?.as_u64()));
        match lag {
            Some(lag) => format!("{name}*-{lag}"),
            None => name.to_owned(),
        }
    }

    /// Annotations of the functional line of an entry.
    fn step(&self, entry: &InferenceEntry, placed: &Placed) -> Vec<String> {
        let mut notes = Vec::new();
        if entry.function() != Some(placed.name.as_str()) || entry.sequence() == "timing" {
            return notes;
        }
        let mut prompted = false;
        for value in entry.values() {
            let Some(sign) = self.helpers.get(value).and_then(|s| Sign::parse(s)) else { continue };
            if let Some(norm) = sign.norm() {
                prompted |= norm == "prompt_location";
                notes.push(format!("%{{{norm}}}: {}", sign.payload()));
            }
        }
        let Some(work) = entry.interpretation() else { return notes };
        let text = |field: &str| work.get(field).and_then(Json::as_str).filter(|t| !t.is_empty());
        let data = self.concepts.get(placed.name.as_str()).and_then(|c| c.data());
        let sign = data.and_then(|d| d.get(0)).and_then(Json::as_str).and_then(Sign::parse);
        let told = Told { work, sign: sign.as_ref(), judgement: entry.sequence().starts_with("judgement") };
        notes.extend(told.notes(self.legacy));
        notes.extend(text("body_faculty").map(|f| format!("%{{body_faculty}}: {f}")));
        for field in ["h_input_norm", "v_input_norm"] {
            notes.extend(text(field).map(|t| format!("%{{{field}}}: {t}")));
        }
        let provision = sign
            .as_ref()
            .filter(|_| !told.says_prompt())
            .filter(|s| matches!(s.norm(), Some("prompt_location" | "script_location" | "file_location")));
        match (provision, text("v_input_provision")) {
            _ if told.says_prompt() => {}
            (Some(sign), _) if !prompted => notes.push(format!("%{{v_input_provision}}: {}", sign.payload())),
            (None, Some(path)) => notes.push(format!("%{{v_input_provision}}: {path}")),
            _ => {}
        }
        notes.extend(text("effect").map(|e| format!("%{{effect}}: {e}")));
        notes.extend(work.get("timeout").filter(|t| t.is_number()).map(|t| format!("%{{timeout}}: {t}")));
        notes
    }

    /// The sequence of an entry when its operation does not say it.
    fn declared_sequence<'e>(&self, entry: &'e InferenceEntry) -> Option<&'e str> {
        let word = entry.sequence();
        if !word.starts_with("imperative") && !word.starts_with("judgement") {
            return None;
        }
        let reading = Reading::of(entry.function()?);
        let helper = |norms: &[&str]| {
            let signs = entry.values().into_iter().filter_map(|v| Sign::parse(self.helpers.get(v)?));
            signs.into_iter().any(|s| s.norm().is_some_and(|n| norms.contains(&n)))
        };
        let paradigm = entry.interpretation().is_some_and(|w| w.contains_key("paradigm"));
        let (judgement, variant, input) = match &reading.expr {
            Some(Expr::Semantic(s)) => {
                let angle =
                    s.body.angle && (entry.target().starts_with('<') || s.subject == Subject::Unwritten);
                (s.assertion.is_some() || angle, s.variant(), false)
            }
            Some(Expr::Input(_)) => (false, None, true),
            _ => return None,
        };
        let suffix = match variant {
            _ if helper(&["script_location", "builtin"]) => "_python",
            Some(Variant::Direct) => "_direct",
            Some(Variant::Python) => "_python",
            Some(Variant::PythonIndirect) => "_python_indirect",
            Some(Variant::Composition) => "_in_composition",
            _ if paradigm && !self.legacy => "_in_composition",
            _ if input => "_input",
            _ => "",
        };
        let said = format!("{}{suffix}", if judgement { "judgement" } else { "imperative" });
        (said != word).then_some(word)
    }
}

/// What a function entry says for readers.
fn described(concept: &ConceptEntry) -> Vec<String> {
    let text = |field: &str| concept.text(field).filter(|d| !d.trim().is_empty());
    let natural = text("natural_name").map(|n| format!("?{{natural_language}}: {n}"));
    natural.into_iter().chain(text("description").map(|d| format!("/: {d}"))).collect()
}
