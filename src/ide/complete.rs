//! What can be typed at a place: names of concepts, operators, annotation keys.

use std::collections::BTreeSet;

use crate::base::Span;

use super::analysis::Analysis;
use super::words;

/// What a completion stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompletionKind {
    /// A concept of the plan.
    Concept,
    /// An operator.
    Operator,
    /// The key of an annotation.
    Key,
}

/// Something that can be typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    /// What it stands for.
    pub kind: CompletionKind,
    /// The text.
    pub text: String,
    /// A few words about it.
    pub detail: String,
}

impl Analysis {
    /// What can be typed at a place, and what of the text before and after it would be replaced.
    pub fn completions(&self, offset: u32) -> Option<(Span, Vec<Completion>)> {
        let text = self.text();
        let offset = (offset as usize).min(text.len());
        let before = text.get(..offset)?;
        let line = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let typed = before.get(line..)?;
        let span = |back: usize, after: usize| Span::new(self.file(), offset - back, offset + after);
        if let Some(at) = typed.rfind("%{").filter(|at| typed.get(*at..).is_some_and(|t| !t.contains('}'))) {
            let back = typed.len() - at - 2;
            let closes = text.get(offset..).is_some_and(|rest| rest.starts_with('}'));
            let key = |(key, meaning): &(&str, &str)| Completion {
                kind: CompletionKind::Key,
                text: if closes { (*key).to_owned() } else { format!("{key}}}: ") },
                detail: (*meaning).to_owned(),
            };
            return Some((span(back, 0), words::KEYS.iter().map(key).collect()));
        }
        if let Some(rest) = typed.trim_start().strip_prefix("<=")
            && !rest.contains(['(', '{', '[', '|'])
        {
            let back = rest.trim_start().len();
            let operator = |(operator, meaning): &(&str, &str)| Completion {
                kind: CompletionKind::Operator,
                text: (*operator).to_owned(),
                detail: (*meaning).to_owned(),
            };
            return Some((span(back, 0), words::OPERATORS.iter().map(operator).collect()));
        }
        let (open, bracket) = typed.char_indices().rev().find(|(_, c)| "{[<}])>".contains(*c))?;
        if !matches!(bracket, '{' | '[' | '<') {
            return None;
        }
        let back = typed.len() - open;
        let close = match bracket {
            '{' => '}',
            '[' => ']',
            _ => '>',
        };
        // What an editor closed by itself is replaced too.
        let after = usize::from(text.get(offset..).is_some_and(|rest| rest.starts_with(close)));
        let here = span(back, after);
        let concepts =
            self.plan().concepts.iter().filter(|c| c.kind.is_value() && c.name.starts_with(bracket));
        let part = typed.get(open + 1..).unwrap_or_default().to_lowercase();
        let concepts = concepts.filter(|c| c.name.to_lowercase().contains(&part));
        // What is being typed is a concept of its own as far as it goes.
        let concepts = concepts.filter(|c| {
            let places = c.lines.iter().map(|l| l.span).chain(c.mentions.iter().map(|m| m.1));
            places.into_iter().any(|place| place.start > here.end || place.end < here.start)
        });
        let named: BTreeSet<Completion> = concepts
            .map(|concept| Completion {
                kind: CompletionKind::Concept,
                text: concept.name.to_string(),
                detail: words::kind(concept.kind, concept.query).to_owned(),
            })
            .collect();
        Some((here, named.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(text: &str) -> (String, Vec<String>) {
        let analysis = Analysis::of("a.nc", text);
        let (span, list) = analysis.completions(text.len() as u32).unwrap();
        let replaced = text[span.start as usize..span.end as usize].to_owned();
        (replaced, list.into_iter().map(|c| c.text).collect())
    }

    #[test]
    fn names_operators_and_keys_are_offered() {
        let plan = "{sum}\n    <= ::(add {1})\n    <- {number}<:{1}>\n    <- {n";
        assert_eq!(at_end(plan), ("{n".to_owned(), vec!["{number}".to_owned()]));
        let (replaced, operators) = at_end("{sum}\n    <= @i");
        assert_eq!(replaced, "@i");
        assert!(operators.iter().any(|o| o == "@if(<c>)"));
        let (replaced, keys) = at_end("{sum}\n    <= ::(add {1})\n        | %{scr");
        assert_eq!(replaced, "scr");
        assert!(keys.iter().any(|k| k == "script_location}: "));
    }
}
