//! One text, compiled, and which concept stands where in it.

use std::sync::{Arc, OnceLock};

use crate::base::{FileId, SourceFile, SourceMap, Span};
use crate::diag::Diagnostic;
use crate::plan::{self, Axes, Concept, ConceptId, Inference, Plan};
use crate::repo::{self, Compiled, LowerOptions, Sentences};
use crate::syntax::{Dialect, Node, NodeId, Tree};

/// How a concept stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A line of its own.
    Line(NodeId),
    /// A name inside an operator.
    Mention,
}

/// A place where a concept is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The place: a name with its suffixes, or the text of an operation.
    pub span: Span,
    /// The concept.
    pub concept: ConceptId,
    /// How it stands there.
    pub role: Role,
}

/// A text with everything the features ask of it. Total: however broken the text, there is an answer to every question.
#[derive(Debug)]
pub struct Analysis {
    sources: SourceMap,
    file: FileId,
    compiled: Compiled,
    axes: OnceLock<Axes>,
    /// The text with everything mended, once it was asked for.
    pub(super) mended: OnceLock<Option<String>>,
    /// In the order of the text; of two that begin together the longer first.
    occurrences: Vec<Occurrence>,
    /// The inferences that give each concept, by their place in the plan.
    givers: Vec<Vec<usize>>,
    /// The inferences that read each concept.
    readers: Vec<Vec<usize>>,
}

impl Analysis {
    /// Compiles a text. `name` is the file's name: its extension settles the dialect where that is needed.
    pub fn of(name: &str, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new(name, Arc::clone(&text)));
        let hint = name.rsplit_once('.').and_then(|(_, extension)| Dialect::from_extension(extension));
        let options = LowerOptions { sentences: Sentences::Noted, ..LowerOptions::default() };
        let compiled = repo::compile(file, &text, hint, &sources, &options);
        let occurrences = occurrences(&compiled.tree, &compiled.plan);
        let (mut givers, mut readers) = (vec![Vec::new(); compiled.plan.concepts.len()], Vec::new());
        readers.resize(givers.len(), Vec::new());
        for (i, inference) in compiled.plan.inferences.iter().enumerate() {
            if let Some(list) = givers.get_mut(inference.target.index()) {
                list.push(i);
            }
            for read in inference.values.iter().chain(&inference.contexts) {
                if let Some(list) = readers.get_mut(read.index())
                    && list.last() != Some(&i)
                {
                    list.push(i);
                }
            }
        }
        Self {
            sources,
            file,
            compiled,
            axes: OnceLock::new(),
            mended: OnceLock::new(),
            occurrences,
            givers,
            readers,
        }
    }

    /// The text that was compiled.
    pub fn text(&self) -> &str {
        self.sources.file(self.file).map_or("", |file| file.text())
    }

    /// The name it was compiled under.
    pub fn name(&self) -> &str {
        self.sources.file(self.file).map_or("", |file| file.name())
    }

    /// Its number in spans.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// What is wrong with it or worth knowing, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.compiled.diagnostics
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.compiled.tree
    }

    /// The resolved plan.
    pub fn plan(&self) -> &Plan {
        &self.compiled.plan
    }

    /// The axes of all concepts; computed when first asked for.
    pub fn axes(&self) -> &Axes {
        self.axes.get_or_init(|| plan::axes(&self.compiled.plan))
    }

    /// All places where concepts are written, in the order of the text.
    pub fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// The innermost concept at a place; the place just behind it counts too, as an editor's cursor stands there.
    pub fn concept_at(&self, offset: u32) -> Option<&Occurrence> {
        let end = self.occurrences.partition_point(|o| o.span.start <= offset);
        let holds = |o: &&Occurrence| o.span.start <= offset && offset <= o.span.end;
        self.occurrences.get(..end)?.iter().rev().filter(holds).min_by_key(|o| o.span.len())
    }

    /// The line (with its annotations) at a place.
    pub fn node_at(&self, offset: u32) -> Option<(NodeId, &Node)> {
        let lines = &self.compiled.tree.lines;
        let at = lines.partition_point(|line| line.span.start <= offset).checked_sub(1)?;
        let id = lines.get(at)?.node?;
        Some((id, self.compiled.tree.node(id)?))
    }

    /// A concept of the plan.
    pub fn concept(&self, id: ConceptId) -> Option<&Concept> {
        self.compiled.plan.concept(id)
    }

    /// The inferences that give a concept, in the order of the plan.
    pub fn givers(&self, id: ConceptId) -> impl Iterator<Item = &Inference> {
        self.listed(self.givers.get(id.index()))
    }

    /// The inferences that read a concept, in the order of the plan.
    pub fn readers(&self, id: ConceptId) -> impl Iterator<Item = &Inference> {
        self.listed(self.readers.get(id.index()))
    }

    fn listed<'a>(&'a self, places: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Inference> {
        places.into_iter().flatten().filter_map(|i| self.compiled.plan.inferences.get(*i))
    }

    /// The inference whose function stands on a line.
    pub fn inference_of(&self, function: &Node) -> Option<&Inference> {
        let head = function.parent?;
        self.compiled.plan.inferences.iter().find(|i| i.head == head && i.function_span == function.span)
    }

    /// The number of the line of a place, from 1.
    pub fn line_of(&self, offset: u32) -> u32 {
        self.sources.file(self.file).map_or(1, |file| file.place(offset).line)
    }
}

fn occurrences(tree: &Tree, plan: &Plan) -> Vec<Occurrence> {
    let mut all = Vec::new();
    for (i, concept) in plan.concepts.iter().enumerate() {
        let id = ConceptId(u32::try_from(i).unwrap_or(u32::MAX));
        for line in &concept.lines {
            // A value without what wraps it.
            let value = tree.node(line.node).and_then(|n| Some(n.span_of(n.concept.value()?.part)));
            let span = value.unwrap_or(line.span);
            all.push(Occurrence { span, concept: id, role: Role::Line(line.node) });
        }
        let mentions = concept.mentions.iter().map(|(_, span)| *span);
        all.extend(mentions.map(|span| Occurrence { span, concept: id, role: Role::Mention }));
    }
    all.sort_by_key(|o| (o.span.start, std::cmp::Reverse(o.span.end), o.concept));
    all.dedup_by_key(|o| (o.span, o.concept));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_concept_is_found_from_both_ends() {
        let text = "{sum}\n    <= $.({a})\n    <- {a}\n";
        let analysis = Analysis::of("a.nc", text);
        let name =
            |at: usize| analysis.concept_at(at as u32).map(|o| analysis.plan().name(o.concept).to_owned());
        assert_eq!(name(0).as_deref(), Some("{sum}"));
        assert_eq!(name(5).as_deref(), Some("{sum}"));
        assert_eq!(name(text.find("$.").unwrap()).as_deref(), Some("$.({a})"));
        assert_eq!(name(text.find("{a}").unwrap()).as_deref(), Some("{a}"));
        assert_eq!(name(text.len()), None);
    }

    #[test]
    fn half_typed_plans_have_answers() {
        let text = "# 数\n{和}\n    <= ::(add {1}<$({甲})%> and {2})\n        <= @if(<ok>)\n    <- {甲}<:{1}>\n    \
                    <- {b}<:{2}> | ref. %(n)=[1, 2]\n    <- <ok>\n        <= ::<{1} is 0>\n        <- {b}<:{1}>\n";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let analysis = Analysis::of("a.nc", &text[..end]);
            for at in (0..=end as u32).step_by(3) {
                analysis.hover(at);
                analysis.definition(at);
                analysis.references(at);
                analysis.completions(at);
                analysis.actions(at, at);
            }
            analysis.symbols();
            analysis.folds();
        }
    }
}
