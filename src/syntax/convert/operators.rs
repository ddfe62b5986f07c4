//! Loops, `$`, `&` and `@` operators in the other spelling (language spec, section 11).

use std::fmt::Write as _;

use crate::syntax::{
    AssignOp, Assigning, Axis, Expr, GroupOp, Grouping, Looping, ModifierKind, Node, NodeId, Operand, Part,
    Spelling, SuffixKind, Timing, TimingOp, Value, data,
};

use super::names::{exact, key};
use super::restyle::{Kept, Restyler, Rewritten, Style, whole};

type Made = Result<Option<Rewritten>, Kept>;

fn keep<T>(node: &Node, why: &str) -> Result<T, Kept> {
    Err((whole(node), why.to_owned()))
}

fn made(text: String) -> Made {
    Ok(Some(Rewritten::from(text)))
}

impl Restyler<'_> {
    /// Returns whether an operator is in the spelling asked for already.
    fn is_done(&self, spelling: Spelling) -> bool {
        matches!(
            (spelling, self.style),
            (Spelling::Legacy, Style::Legacy) | (Spelling::Current, Style::Current)
        )
    }

    /// The same operator with the values in it under their new names.
    fn renamed(&self, id: NodeId, node: &Node, values: &[&Value]) -> Made {
        let edits: Vec<(Part, String)> =
            values.iter().map(|v| (v.part, self.names.value(id, node, v))).collect();
        made(super::restyle::apply(&node.source, edits))
    }

    fn list(&self, id: NodeId, node: &Node, values: &[&Value], separator: &str) -> String {
        let texts: Vec<String> = values.iter().map(|v| self.names.value(id, node, v)).collect();
        texts.join(separator)
    }

    /// The value line a function line belongs to, as it is written in operators: name and versions, no placement.
    fn target(&self, node: &Node) -> Option<(String, String)> {
        let parent = node.parent?;
        let above = self.tree.node(parent)?;
        let value = above.concept.value()?;
        let placed = |s: &crate::syntax::Suffix| matches!(s.kind, SuffixKind::Placement(_));
        let mut plain = value.clone();
        plain.suffixes.retain(|s| !placed(s));
        Some((key(value, self.names.current(parent)), self.names.value(parent, above, &plain)))
    }

    pub(super) fn looping(&self, id: NodeId, node: &Node, looping: &Looping) -> Made {
        if self.is_done(looping.spelling) {
            let carried = looping.carries.iter().map(|c| &c.value);
            return self.renamed(
                id,
                node,
                &looping.bases.iter().chain(&looping.results).chain(carried).collect::<Vec<_>>(),
            );
        }
        let [base] = looping.bases.as_slice() else {
            return keep(node, "it walks two collections, or none");
        };
        let Some(carried) = self.names.carries.get(&id) else {
            return keep(node, "it is not the function of its line");
        };
        let base = self.names.value(id, node, base);
        let number = self.tree.loop_number(id).map(|l| l.number);
        let target = self.target(node);
        let axes: Vec<String> = looping.axes.iter().map(|a| self.axis(node, a)).collect();
        let mut text = match self.style {
            Style::Current => format!("*. %>({base})"),
            Style::Legacy => format!("*every({base})"),
        };
        let result = looping.results.first();
        match self.style {
            Style::Current => {
                let named = result.map(|r| self.names.value(id, node, r));
                if let Some(result) = named.or(target.map(|t| t.1)) {
                    let _ = write!(text, " %<({result})");
                }
                if !axes.is_empty() {
                    let _ = write!(text, " %:({})", axes.join(", "));
                }
                if let Some(number) = number {
                    let _ = write!(text, " %@({number})");
                }
                if !carried.is_empty() {
                    let _ = write!(text, " %^({})", carried.join("; "));
                }
            }
            Style::Legacy => {
                if !axes.is_empty() {
                    let _ = write!(text, "%:[{}]", axes.join("; "));
                }
                let other =
                    result.filter(|r| target.as_ref().is_none_or(|t| t.0 != key(r, self.names.current(id))));
                if let Some(result) = other {
                    let _ = write!(text, ".[{}]", self.names.value(id, node, result));
                }
                if let Some(number) = number {
                    let _ = write!(text, "@({number})");
                }
                if !carried.is_empty() {
                    let _ = write!(text, "^[{}]", carried.join(";"));
                }
            }
        }
        made(text)
    }

    /// An axis: names in braces, as plans write them.
    fn axis(&self, node: &Node, axis: &Axis) -> String {
        match &axis.value {
            Some(value) => node.text_of(value.part).to_owned(),
            None => axis.name.to_string(),
        }
    }

    pub(super) fn assigning(&self, id: NodeId, node: &Node, written: &Assigning) -> Made {
        let operands = written.args.iter().chain(&written.after_colon);
        let in_modifiers = written
            .modifiers
            .iter()
            .filter(|m| matches!(m.kind, ModifierKind::Source | ModifierKind::Result));
        let all = operands.chain(in_modifiers.flat_map(|m| &m.operands));
        let values: Vec<&Value> = all.filter_map(Operand::value).collect();
        if self.is_done(written.spelling) {
            if written.op == AssignOp::Abstraction {
                return Ok(None);
            }
            return self.renamed(id, node, &values);
        }
        let axes: Vec<String> = written.axes().iter().map(|a| self.axis(node, a)).collect();
        let by = |open: &str, close: &str| match axes.is_empty() {
            true => String::new(),
            false => format!("{open}{}{close}", axes.join(", ")),
        };
        match (written.op, self.style) {
            (AssignOp::Specification, _) => self.specification(id, node, written),
            (AssignOp::Continuation, style) => {
                let pair = self.tree.append(id);
                let item = pair.map(|a| a.item).or_else(|| written.item());
                let Some(destination) = pair.map(|a| a.destination).or_else(|| written.destination()) else {
                    return Ok(None);
                };
                let destination = self.names.value(id, node, destination);
                let item = item.map(|i| self.names.value(id, node, i));
                made(match style {
                    Style::Current => {
                        let item = item.map(|i| format!(" %<({i})")).unwrap_or_default();
                        format!("$+ %>({destination}){item}{}", by(" %:(", ")"))
                    }
                    Style::Legacy => {
                        let item = item.map(|i| format!("{i}:")).unwrap_or_default();
                        format!("$+({item}{destination}){}", by("%:[", "]"))
                    }
                })
            }
            (AssignOp::Identity, style) => {
                let target = self.target(node);
                let is_target =
                    |v: &Value| target.as_ref().is_some_and(|t| t.0 == key(v, self.names.current(id)));
                let beside = || {
                    node.parent
                        .and_then(|p| self.tree.values(p).find_map(|(_, n)| Some((n, n.concept.value()?))))
                };
                let named = match values.as_slice() {
                    [a, b] if is_target(a) => Some(self.names.value(id, node, b)),
                    [a, ..] => Some(self.names.value(id, node, a)),
                    [] => None,
                };
                match (style, named, beside()) {
                    (Style::Current, Some(name), _) => made(format!("$= %>({name})")),
                    (Style::Current, None, Some((line, value))) => {
                        let mut plain = value.clone();
                        plain.suffixes.retain(|s| !matches!(s.kind, SuffixKind::Placement(_)));
                        made(format!("$= %>({})", self.names.value(id, line, &plain)))
                    }
                    (Style::Legacy, Some(name), _) => match target {
                        Some((_, target)) => made(format!("$=({name}:{target})")),
                        None => made(format!("$=({name})")),
                    },
                    _ => Ok(None),
                }
            }
            (AssignOp::Abstraction, Style::Current) => self.abstraction(node, written, &by(" %:(", ")")),
            (AssignOp::Abstraction, Style::Legacy) if written.spelling == Spelling::Current => {
                keep(node, "there the literal stands on a value line of its own")
            }
            (AssignOp::Selection, Style::Legacy) => keep(node, "there is no operator that picks"),
            _ => Ok(None),
        }
    }

    fn specification(&self, id: NodeId, node: &Node, written: &Assigning) -> Made {
        if written.spelling == Spelling::Either {
            return Ok(None);
        }
        if !written.after_colon.is_empty() || !written.by_axes.is_empty() {
            return keep(node, "only candidates can be named");
        }
        let values = written.sources();
        let all = match written.spelling {
            Spelling::Current => written.modifiers.len() == 1,
            _ => written.args.iter().all(|a| a.value().is_some()),
        };
        if values.is_empty() || !all {
            return keep(node, "only candidates can be named");
        }
        match (values.as_slice(), self.style) {
            ([one], Style::Current) if !self.is_list(node, one) => {
                made(format!("$. %>({})", self.names.value(id, node, one)))
            }
            ([one], Style::Current) => {
                made(format!("$. %>[{}]", self.list(id, node, &one.members.iter().collect::<Vec<_>>(), ", ")))
            }
            (many, Style::Current) => made(format!("$. %>[{}]", self.list(id, node, many, ", "))),
            (many, Style::Legacy) => made(format!("$.({})", self.list(id, node, many, ";"))),
        }
    }

    /// `[{a}, {b}]` is a list of its members, unless a value of that name stands beside it.
    fn is_list(&self, node: &Node, value: &Value) -> bool {
        if value.members.is_empty() || !value.suffixes.is_empty() || value.plus {
            return false;
        }
        let wanted = key(value, None);
        let Some(parent) = node.parent else { return false };
        let beside: Vec<String> = self
            .tree
            .values(parent)
            .filter_map(|(id, n)| n.concept.value().map(|v| key(v, self.names.current(id))))
            .collect();
        !beside.contains(&wanted)
            && value.members.iter().all(|m| beside.contains(&key(m, self.names.current(parent))))
    }

    /// Legacy `$%` takes its literal from the value line beside it.
    fn abstraction(&self, node: &Node, written: &Assigning, axes: &str) -> Made {
        if written.spelling == Spelling::Current || node.source.contains('(') {
            return Ok(None);
        }
        let Some(parent) = node.parent else { return Ok(None) };
        let literal = self.tree.children(parent).find_map(|(_, n)| {
            let value = n.concept.value()?;
            if let Some(literal) = &value.literal {
                return Some(serde_json::Value::from(literal.value.as_ref()));
            }
            let held = n.annotations.iter().filter(|a| data::holds_data(a));
            held.filter_map(|a| data::read(a.text()).ok()).map(|d| d.json).next()
        });
        match literal {
            Some(literal) => made(format!("$% %>({literal}){axes}")),
            None => Ok(None),
        }
    }

    pub(super) fn grouping(&self, id: NodeId, node: &Node, written: &Grouping) -> Made {
        let modified = written.modifiers.iter().filter(|m| m.kind == ModifierKind::Source);
        let all = written.args.iter().chain(&written.after_colon).chain(modified.flat_map(|m| &m.operands));
        let values: Vec<&Value> = all.filter_map(Operand::value).collect();
        if self.is_done(written.spelling) {
            return self.renamed(id, node, &values);
        }
        let kept = match self.style {
            Style::Current => self.grouping_to_current(id, node, written),
            Style::Legacy => self.grouping_to_legacy(id, node, written),
        };
        match kept {
            Ok(text) => made(text),
            Err(why) => keep(node, why),
        }
    }

    /// The values beside an operator: key, text, declared axes, and the axis of the loop that computes it.
    fn beside(&self, node: &Node) -> Vec<Beside> {
        let Some(parent) = node.parent else { return Vec::new() };
        let mut found: Vec<Beside> = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for (id, line) in self.tree.values(parent) {
            let Some(value) = line.concept.value() else { continue };
            let name = key(value, self.names.current(id));
            if !seen.insert(exact(value, self.names.current(id))) {
                continue;
            }
            let mut plain = value.clone();
            plain.suffixes.retain(|s| !matches!(s.kind, SuffixKind::Placement(_)));
            let walked = self.names.function(id).and_then(|f| match &self.tree.node(f)?.concept.expr {
                Expr::Looping(l) => Some(l.axes.first().map_or_else(
                    || l.bases.first().map(|b| b.name.to_string()).unwrap_or_default(),
                    |a| a.name.to_string(),
                )),
                _ => None,
            });
            found.push(Beside {
                text: self.names.value(id, line, &plain),
                axes: self.declared(&name),
                key: exact(value, self.names.current(id)),
                walked,
            });
        }
        found
    }

    /// The axes a plan declares for a concept; of a loop's element those of its base but the one that is walked.
    fn declared(&self, name: &str) -> Option<Vec<String>> {
        self.axes.get(name).cloned()
    }

    fn grouping_to_current(
        &self,
        id: NodeId,
        node: &Node,
        written: &Grouping,
    ) -> Result<String, &'static str> {
        let beside = self.beside(node);
        let operator = if written.op == GroupOp::In { "&[{}]" } else { "&[#]" };
        let sources: Vec<String> = match beside.is_empty() {
            false => beside.iter().map(|b| b.text.clone()).collect(),
            true => written.sources().into_iter().map(|v| self.names.value(id, node, v)).collect(),
        };
        let list = match sources.as_slice() {
            [] => return Err("it names nothing to group"),
            [one] => format!(" %>({one})"),
            many => format!(" %>[{}]", many.join(", ")),
        };
        if written.plus || !written.by_axes.is_empty() {
            return Err("it collapses axes of all its values at once");
        }
        let by: Vec<&Value> = written.by();
        if by.is_empty() {
            let none = beside.iter().all(|b| b.axes.is_none()) || beside.len() < sources.len();
            return match none {
                true => Ok(format!("{operator}{list}")),
                false => Err("the current form collapses the declared axes of what it groups"),
            };
        }
        let derived = by.iter().any(|v| v.suffixes.iter().any(|s| s.kind == SuffixKind::DerivedFrom));
        let ([source], false, GroupOp::Across) = (beside.as_slice(), derived, written.op) else {
            return Err("which axes it collapses follows from how a value is made");
        };
        let mut collapsed: Vec<String> = Vec::new();
        for value in by {
            let name = key(value, self.names.current(id));
            match self.declared(&name) {
                Some(axes) => collapsed.extend(axes),
                None => return Err("the axes it collapses are not declared"),
            }
        }
        let own = source.axes.clone().or_else(|| source.walked.clone().map(|w| vec![w])).unwrap_or_default();
        if own.is_empty() || own.iter().any(|a| !collapsed.contains(a)) {
            return Err("the current form would collapse other axes");
        }
        let axes: Vec<String> = own.iter().map(|a| format!("{{{a}}}")).collect();
        Ok(format!("{operator}{list} %:({})", axes.join(", ")))
    }

    fn grouping_to_legacy(
        &self,
        id: NodeId,
        node: &Node,
        written: &Grouping,
    ) -> Result<String, &'static str> {
        let beside = self.beside(node);
        let operator = if written.op == GroupOp::In { "&in" } else { "&across" };
        if written.modifiers.iter().any(|m| m.kind != ModifierKind::Source && m.kind != ModifierKind::By) {
            return Err("axes cannot be made, kept or collapsed one by one there");
        }
        let sources = written.sources();
        let named = sources.iter().map(|v| exact(v, self.names.current(id)));
        if !sources.is_empty() && named.ne(beside.iter().map(|b| b.key.clone())) {
            return Err("there all the values beside it are grouped, in their order");
        }
        let collapsed: Vec<String> = written.axes().iter().map(|a| a.name.to_string()).collect();
        if collapsed.iter().any(|a| self.names.is_written(&format!("{{{a}}}"))) {
            return Err("there the name of its axis would mean the concept of that name");
        }
        if collapsed.is_empty() && beside.iter().all(|b| b.axes.is_some()) {
            return Err("it collapses the declared axes of what it groups");
        }
        let whole = beside.len() == 1
            && written.op == GroupOp::Across
            && beside.iter().all(|b| {
                let own = b.axes.clone().or_else(|| b.walked.clone().map(|w| vec![w]));
                own.is_some_and(|own| own.iter().all(|a| collapsed.contains(a)))
            });
        if !collapsed.is_empty() && !whole {
            return Err("there one list of axes counts for all values at once");
        }
        let list = match sources.is_empty() {
            true => String::new(),
            false => format!("({})", self.list(id, node, &sources, ";")),
        };
        let axes: Vec<String> = collapsed.iter().map(|a| format!("{{{a}}}")).collect();
        let by = if axes.is_empty() { String::new() } else { format!("%:[{}]", axes.join("; ")) };
        Ok(format!("{operator}{list}{by}"))
    }

    pub(super) fn timing(&self, id: NodeId, node: &Node, timing: &Timing) -> Made {
        let values: Vec<&Value> = timing.condition.iter().collect();
        let (legacy, current) = match timing.op {
            TimingOp::If => ("@if", "@:'"),
            TimingOp::IfNot => ("@if!", "@:!"),
            TimingOp::After => ("@after", "@."),
            TimingOp::By | TimingOp::Action | TimingOp::Sequence => return Ok(None),
        };
        if self.is_done(timing.spelling) {
            return self.renamed(id, node, &values);
        }
        let operator = if self.style == Style::Legacy { legacy } else { current };
        let condition = match &timing.condition {
            Some(value) => Some(self.names.value(id, node, value)),
            None if !timing.argument.is_empty() => return keep(node, "what it asks is no concept"),
            None => self
                .tree
                .children(id)
                .find_map(|(child, n)| n.concept.value().map(|v| self.names.value(child, n, v))),
        };
        match condition {
            Some(condition) => made(format!("{operator}({condition})")),
            None => Ok(None),
        }
    }
}

/// A value beside an operator.
struct Beside {
    key: (String, Option<u32>),
    text: String,
    axes: Option<Vec<String>>,
    /// The axis its loop walks, when a loop computes it.
    walked: Option<String>,
}
