//! The lines of a plan as an outline, and what can be folded.

use crate::base::Span;
use crate::syntax::{Family, NodeId, Tree};

use super::analysis::Analysis;

/// Names are cut at this many characters.
const LONGEST_NAME: usize = 80;

/// A line of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The concept text.
    pub name: String,
    /// Its flow index, and the sequence of the inference it heads.
    pub detail: String,
    /// The family of that inference.
    pub heads: Option<Family>,
    /// An operation, not a value.
    pub is_function: bool,
    /// The concept text.
    pub name_span: Span,
    /// The line with everything below it.
    pub span: Span,
    /// 0 for roots. The symbols come in the order of the text, so a symbol's children follow it.
    pub depth: u32,
}

/// Lines that can be folded into the first of them, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// The line that stays.
    pub first: u32,
    /// The last line that is hidden.
    pub last: u32,
}

impl Analysis {
    /// The outline, in the order of the text.
    pub fn symbols(&self) -> Vec<Symbol> {
        let tree = self.tree();
        let ends = ends(tree);
        let symbol = |(id, node): (NodeId, &crate::syntax::Node)| {
            let end = ends.get(id.index()).copied().unwrap_or(node.span.end);
            let sequence = node.heads.map_or(String::new(), |family| format!(" {}", family.as_str()));
            let mut name: String = node.text.chars().take(LONGEST_NAME).collect();
            if name.trim().is_empty() {
                name = node.marker.as_str().to_owned();
            }
            Symbol {
                name,
                detail: format!("{}{sequence}", node.flow_index),
                heads: node.heads,
                is_function: node.marker == crate::syntax::Marker::Function,
                name_span: node.span,
                span: Span { end: end.max(node.span.end), ..node.span },
                depth: node.depth,
            }
        };
        tree.iter().map(symbol).collect()
    }

    /// Every line with lines below it.
    pub fn folds(&self) -> Vec<Fold> {
        let tree = self.tree();
        let ends = ends(tree);
        let fold = |(id, node): (NodeId, &crate::syntax::Node)| {
            let last = self.line_of(*ends.get(id.index())?);
            (last > node.line).then_some(Fold { first: node.line, last })
        };
        tree.iter().filter_map(fold).collect()
    }
}

/// Where each line ends, with its annotations and everything below it.
fn ends(tree: &Tree) -> Vec<u32> {
    let own = |node: &crate::syntax::Node| {
        node.annotations.iter().map(|a| a.span.end).chain([node.span.end]).max().unwrap_or(node.span.end)
    };
    let mut ends: Vec<u32> = tree.nodes.iter().map(own).collect();
    // Children come after their parents, so from the back every line is complete when it is added to its parent.
    for (i, node) in tree.nodes.iter().enumerate().rev() {
        let end = ends.get(i).copied().unwrap_or(0);
        if let Some(above) = node.parent.and_then(|p| ends.get_mut(p.index())) {
            *above = (*above).max(end);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_to_the_end_of_what_stands_below_it() {
        let text = "{a}\n    <= ::(do {1})\n        | %{builtin}: pass\n    <- {b}\n";
        let analysis = Analysis::of("a.nc", text);
        let symbols = analysis.symbols();
        let shown: Vec<(&str, &str, u32)> =
            symbols.iter().map(|s| (s.name.as_str(), s.detail.as_str(), s.depth)).collect();
        assert_eq!(shown, [("{a}", "1 imperative", 0), ("::(do {1})", "1.1", 1), ("{b}", "1.2", 1)]);
        assert_eq!(symbols[0].span.end as usize, text.len() - 1);
        assert_eq!(analysis.folds(), [Fold { first: 1, last: 4 }, Fold { first: 2, last: 3 }]);
    }
}
