//! Interchange records: `.nc.json` lines and `.nci.json` groups (repositories spec, section 6), with full names.

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::syntax::{Expr, Kind, Marker, Node, NodeId, Outline, OutlineLine, Tree};

use super::sentences::told;

/// `{"lines": [..]}`: every concept line with its comments after it.
pub fn lines(tree: &Tree, text: &str) -> Json {
    let outline = Outline::of(tree, text);
    let mut list = Vec::new();
    for ((id, node), line) in tree.iter().zip(&outline.lines) {
        list.push(Json::Object(main(tree, id, node, line)));
        list.extend(comments(node, line));
    }
    json!({ "lines": list })
}

/// An array of groups, one for each line with a `<=` child, in the order of the indices.
pub fn groups(tree: &Tree, text: &str) -> Json {
    let outline = Outline::of(tree, text);
    let record = |id: NodeId| {
        let (node, line) = (tree.node(id)?, outline.lines.get(id.index())?);
        let mut fields = main(tree, id, node, line);
        fields.insert("attached_comments".into(), comments(node, line).into());
        Some(Json::Object(fields))
    };
    let mut heads: Vec<(NodeId, NodeId)> =
        tree.iter().filter_map(|(id, _)| Some((id, tree.function(id)?.0))).collect();
    heads.sort_by(|a, b| index(tree, a.0).cmp(&index(tree, b.0)));
    let group = |(head, function): (NodeId, NodeId)| {
        let mut values = Vec::new();
        let mut others = Vec::new();
        for (child, node) in tree.children(head).filter(|(c, _)| *c != function) {
            let list = if matches!(node.marker, Marker::Value | Marker::None | Marker::Input) {
                &mut values
            } else {
                &mut others
            };
            list.extend(record(child));
        }
        json!({
            "concept_to_infer": record(head),
            "function_concept": record(function),
            "value_concepts": values,
            "other_concepts": others,
        })
    };
    heads.into_iter().map(group).collect::<Vec<_>>().into()
}

fn index(tree: &Tree, id: NodeId) -> Option<&crate::base::FlowIndex> {
    tree.node(id).map(|n| &n.flow_index)
}

fn main(tree: &Tree, id: NodeId, node: &Node, line: &OutlineLine) -> JsonMap<String, Json> {
    let marker = line.marker.as_str();
    let close = marker.is_empty() || (line.marker == Marker::Output && line.text.starts_with('('));
    let text = format!("{marker}{}{}", if close { "" } else { " " }, line.text);
    let mut fields = JsonMap::new();
    fields.insert("flow_index".into(), node.flow_index.to_string().into());
    fields.insert("type".into(), "main".into());
    fields.insert("depth".into(), line.depth.into());
    fields.insert("nc_main".into(), text.trim().into());
    fields.insert("ncn_content".into(), format!("{marker} {}", told(tree, id, node)).trim().into());
    fields.insert("inference_marker".into(), if marker.is_empty() { Json::Null } else { marker.into() });
    fields.insert("concept_type".into(), concept_type(node).into());
    fields.insert("operator_type".into(), operator_type(node.kind).map_or(Json::Null, Json::from));
    let name = match &node.concept.expr {
        Expr::Value(value) => Json::from(value.name.as_ref()),
        _ => Json::Null,
    };
    fields.insert("concept_name".into(), name);
    let warnings: Vec<&str> = node.concept.problems.iter().map(|p| p.message.as_str()).collect();
    fields.insert("warnings".into(), warnings.into());
    fields
}

fn comments(node: &Node, line: &OutlineLine) -> Vec<Json> {
    let record = |kind: &str, depth: u32, text: &str| json!({"flow_index": node.flow_index.to_string(), "type": kind, "depth": depth, "nc_comment": text});
    let inline = line.inline.iter().map(|text| record("inline_comment", line.depth, text));
    let leading = line.leading.iter().map(|note| record("comment", line.depth, &note.text));
    let below = line
        .below
        .iter()
        .map(|note| record("comment", if note.beside { line.depth } else { line.depth + 1 }, &note.text));
    inline.chain(leading).chain(below).collect()
}

fn concept_type(node: &Node) -> &'static str {
    match node.kind {
        Kind::Object => "object",
        Kind::Relation => "relation",
        Kind::Proposition => "proposition",
        Kind::Subject => "subject",
        Kind::Imperative | Kind::Input | Kind::Method => "imperative",
        Kind::Judgement => "judgement",
        Kind::Informal | Kind::Empty => "informal",
        _ => "operator",
    }
}

fn operator_type(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Identity => "identity",
        Kind::Abstraction => "abstraction",
        Kind::Specification => "specification",
        Kind::Continuation => "continuation",
        Kind::Selection => "selection",
        Kind::Nominalization => "nominalization",
        Kind::GroupingIn | Kind::GroupingAcross => "grouping",
        Kind::TimingIf | Kind::TimingIfNot => "timing_conditional",
        Kind::TimingAfter => "timing_completion",
        Kind::TimingAction | Kind::TimingBy | Kind::TimingSequence => "timing_action",
        Kind::LoopingEvery => "looping",
        _ => return None,
    })
}
