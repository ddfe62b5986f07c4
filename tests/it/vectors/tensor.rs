//! Vectors of the tensor algebra: dispatch on `op`, and the actions they use.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use normc::base::{Number, SKIP_MARKER, Value};
use normc::tensor::assign::{self, Aliases, Selector};
use normc::tensor::combine::{self, Acted, ActionError, Coordinates, OnError};
use normc::tensor::group::{self, ByAxes, GroupSpec, GroupStep, Marker};
use normc::tensor::looping::{Carry, Elements, combine_results};
use normc::tensor::mask::{self, Decision, Detail, Gate, GateMarker, Mask, Quantifier};
use normc::tensor::{Axis, Cell, Error, Result, Tensor};

use super::{Outcome, check};

/// What is wrong with a case.
pub(super) fn case(vector: &Json) -> Option<String> {
    let op = vector["op"].as_str().unwrap_or_default();
    check(vector, run(op, &vector["input"]))
}

/// Runs one case; none for an operation that is not known.
fn run(op: &str, input: &Json) -> Option<Outcome> {
    let input = Input(input);
    let result = match op {
        "new" => input
            .value("initial")
            .map_or(Ok(Cell::Skip), Ok)
            .and_then(|initial| Tensor::new(&input.axes("axes"), &input.sizes("shape"), initial))
            .map(tensor),
        "from_data" => Tensor::from_data(&input.data("data"), input.axis_list("axes").as_deref()).map(tensor),
        "get" => input.tensor("tensor").and_then(|t| t.get(&input.index())).map(|t| value(&t.to_nested())),
        "set" => set(&input),
        "set_tensor" => input.tensor("tensor").and_then(|mut t| {
            t.set_tensor(&input.data("data"))?;
            Ok(tensor(t))
        }),
        "get_tensor" => input
            .tensor("tensor")
            .map(|t| value(&if input.0["ignore_skip"] == json!(true) { t.prune() } else { t.to_nested() })),
        "leaves" => input.tensor("tensor").map(|t| value(&Value::list(t.leaves()))),
        "slice" => input.tensor("tensor").and_then(|t| t.slice(&input.axes("axes"))).map(tensor),
        "transpose" => input.tensor("tensor").and_then(|t| t.transpose(&input.axes("axes"))).map(tensor),
        "copy" => copy(&input),
        "append" => append(&input),
        "cross_product" => input.tensors("tensors").and_then(|t| combine::cross_product(&t)).map(tensor),
        "join" => input.tensors("tensors").and_then(|t| combine::join(&t, &input.axis("axis"))).map(tensor),
        "cross_action" => cross_action(&input),
        "element_action" => element_action(&input),
        "assign_abstraction" => {
            assign::abstraction(&input.data("face_value"), input.axis_list("axes").as_deref()).map(tensor)
        }
        "assign_specification" => specification(&input),
        "assign_continuation" => continuation(&input),
        "assign_selection" => selection(&input),
        "assign_identity" => Ok(identity(&input)),
        "group_in" => group(&input, group::group_in),
        "group_across" => group(&input, |t, _, s| group::group_across(t, s)),
        "group_step" => group_step(&input),
        "loop_elements" => loop_elements(&input),
        "loop_run" => loop_run(&input),
        "loop_carry" => Ok(loop_carry(&input)),
        "timing" => timing(&input),
        "filter" => filter(&input),
        "truth_mask" => truth_mask(&input),
        _ => return None,
    };
    Some(result.map_err(|error| error.kind().to_owned()))
}

fn tensor(tensor: Tensor) -> Json {
    json!({ "tensor": tensor.to_json() })
}

fn value(value: &Value) -> Json {
    json!({ "value": value.to_json() })
}

/// The arguments of a case.
#[derive(Clone, Copy)]
struct Input<'a>(&'a Json);

impl<'a> Input<'a> {
    fn given(&self, key: &str) -> Option<&'a Json> {
        self.0.get(key).filter(|json| !json.is_null())
    }

    fn text(&self, key: &str) -> &'a str {
        self.given(key).and_then(Json::as_str).unwrap_or_else(|| panic!("`{key}` must be a text"))
    }

    fn list(&self, key: &str) -> &'a [Json] {
        self.given(key)
            .map_or(&[], |json| json.as_array().unwrap_or_else(|| panic!("`{key}` must be a list")))
    }

    fn entries(&self, key: &str) -> impl Iterator<Item = (&'a str, &'a Json)> {
        self.given(key).and_then(Json::as_object).into_iter().flatten().map(|(k, v)| (k.as_str(), v))
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.given(key).map(Value::from_data_json)
    }

    fn data(&self, key: &str) -> Value {
        Value::from_data_json(&self.0[key])
    }

    fn tensor(&self, key: &str) -> Result<Tensor> {
        Tensor::from_json(&self.0[key])
    }

    fn maybe(&self, key: &str) -> Result<Option<Tensor>> {
        self.given(key).map(Tensor::from_json).transpose()
    }

    fn tensors(&self, key: &str) -> Result<Vec<Tensor>> {
        self.list(key).iter().map(Tensor::from_json).collect()
    }

    fn maybes(&self, key: &str) -> Result<Vec<Option<Tensor>>> {
        let maybe = |json: &Json| if json.is_null() { Ok(None) } else { Tensor::from_json(json).map(Some) };
        self.list(key).iter().map(maybe).collect()
    }

    fn axis(&self, key: &str) -> Axis {
        Axis::from(self.text(key))
    }

    fn axes(&self, key: &str) -> Vec<Axis> {
        axes(self.list(key))
    }

    fn axis_list(&self, key: &str) -> Option<Vec<Axis>> {
        self.given(key).map(|_| self.axes(key))
    }

    fn sizes(&self, key: &str) -> Vec<usize> {
        self.list(key).iter().map(|size| size.as_u64().unwrap() as usize).collect()
    }

    fn index(&self) -> Vec<(Axis, i64)> {
        self.entries("index").map(|(axis, i)| (Axis::from(axis), i.as_i64().unwrap())).collect()
    }

    fn on_error(&self) -> OnError {
        match self.given("on_error").and_then(Json::as_str) {
            Some("raise") => OnError::Raise,
            Some("skip") | None => OnError::Skip,
            Some(other) => panic!("unknown policy {other}"),
        }
    }
}

fn axes(names: &[Json]) -> Vec<Axis> {
    names.iter().map(|name| Axis::from(name.as_str().unwrap())).collect()
}

fn shared(text: &str) -> Arc<str> {
    Arc::from(text)
}

fn set(input: &Input) -> Result<Json> {
    let mut changed = input.tensor("tensor")?;
    changed.set(&input.index(), input.data("value"))?;
    Ok(tensor(changed))
}

fn copy(input: &Input) -> Result<Json> {
    let original = input.tensor("tensor")?;
    let mut copy = original.clone();
    copy.set(&input.index(), input.data("value"))?;
    Ok(json!({ "original": original.to_json(), "copy": copy.to_json() }))
}

fn append(input: &Input) -> Result<Json> {
    let by = input.given("by_axis").map(|_| input.axis("by_axis"));
    Ok(tensor(input.tensor("target")?.append(&input.tensor("other")?, by.as_ref())?))
}

fn cross_action(input: &Input) -> Result<Json> {
    let (actions, values) = (input.tensor("actions")?, input.tensor("values")?);
    let call = |cells: &[Cell], _: &Coordinates<'_>| match cells {
        [Value::Text(name), x] => action_cell(name, x),
        _ => Err(ActionError::NotCallable),
    };
    let acted = combine::cross_action(&actions, &values, &input.axis("axis"), input.on_error(), call)?;
    Ok(settled(acted))
}

fn settled(acted: Acted) -> Json {
    for failure in &acted.failures {
        assert!(!failure.message.is_empty());
    }
    tensor(acted.tensor)
}

fn action_cell(name: &str, x: &Value) -> std::result::Result<Value, ActionError> {
    let failed = || ActionError::Failed(format!("{name} fails"));
    let one = |item: Value| Ok(Value::list([item]));
    match name {
        "f:one" => one(x.clone()),
        "f:dup" => Ok(Value::list([x.clone(), x.clone()])),
        "f:none" => Ok(Value::list([])),
        "f:upto" => {
            let Value::Number(number) = x else { return Err(failed()) };
            let number: i64 = number.as_str().parse().map_err(|_| failed())?;
            Ok(Value::list((0..number.rem_euclid(4)).map(|n| Value::Number(n.into()))))
        }
        "f:boom" => Err(failed()),
        "f:scalar" => Ok(x.clone()),
        "f:part_skip" => Ok(Value::list([x.clone(), Value::Skip])),
        "f:null" => one(Value::Null),
        "f:nest" => one(Value::list([x.clone(), x.clone()])),
        "f:dict" => one(record([("got", x.clone())])),
        _ => Err(ActionError::NotCallable),
    }
}

fn record<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(Arc::new(entries.into_iter().map(|(key, value)| (shared(key), value)).collect()))
}

fn element_action(input: &Input) -> Result<Json> {
    let name = input.text("fn");
    let aware = input.given("index_aware") == Some(&json!(true));
    let action = |cells: &[Cell], at: &Coordinates<'_>| function(name, cells, aware.then_some(at));
    Ok(settled(combine::element_action(&input.tensors("tensors")?, input.on_error(), action)?))
}

fn function(
    name: &str,
    cells: &[Cell],
    at: Option<&Coordinates<'_>>,
) -> std::result::Result<Cell, ActionError> {
    let failed = || ActionError::Failed(format!("{name} fails"));
    Ok(match (name, cells) {
        ("add", [Value::Number(a), Value::Number(b)]) => arithmetic(a, b, |a, b| a + b, |a, b| a + b),
        ("add", [Value::Text(a), Value::Text(b)]) => Value::text(format!("{a}{b}")),
        ("triple", [Value::Number(n)]) => arithmetic(n, &Number::from(3), |a, b| a * b, |a, b| a * b),
        ("concat", cells) => {
            let text = |cell: &Cell| match cell {
                Value::Text(text) => Ok(text.to_string()),
                _ => Err(failed()),
            };
            Value::text(cells.iter().map(text).collect::<std::result::Result<Vec<_>, _>>()?.join("|"))
        }
        ("fail_odd", [Value::Number(n)]) if n.to_f64() % 2.0 == 0.0 => cells[0].clone(),
        ("list", cells) => Value::list(cells.iter().cloned()),
        ("null", _) => Value::Null,
        ("skip", _) => Value::Skip,
        ("count", [Value::List(items)]) => Value::Number((items.len() as i64).into()),
        ("count", [_]) => Value::Number(1.into()),
        ("locate", cells) => record([
            ("at", at.expect("locate is index-aware").to_value()),
            ("v", Value::list(cells.iter().cloned())),
        ]),
        ("add" | "triple" | "fail_odd", _) => return Err(failed()),
        _ => panic!("unknown function {name}"),
    })
}

fn arithmetic(a: &Number, b: &Number, exact: fn(i64, i64) -> i64, float: fn(f64, f64) -> f64) -> Value {
    Value::Number(match (a.as_str().parse::<i64>(), b.as_str().parse::<i64>()) {
        (Ok(a), Ok(b)) => exact(a, b).into(),
        _ => Number::from_f64(float(a.to_f64(), b.to_f64())).unwrap(),
    })
}

fn specification(input: &Input) -> Result<Json> {
    let sources = input.maybes("sources")?;
    let sources: Vec<Option<&Tensor>> = sources.iter().map(Option::as_ref).collect();
    Ok(tensor(assign::specification(&sources, input.maybe("destination")?.as_ref())))
}

fn continuation(input: &Input) -> Result<Json> {
    let source = input.maybe("source")?;
    let by_axes = input.axis_list("by_axes");
    let done = assign::continuation(source.as_ref(), input.maybe("destination")?, by_axes.as_deref())?;
    Ok(tensor(done.tensor))
}

fn selection(input: &Input) -> Result<Json> {
    let selector = Input(&input.0["selector"]);
    let flag = |key: &str| selector.given(key) == Some(&json!(true));
    let selector = Selector {
        index: selector.given("index").map(|i| i.as_i64().unwrap()),
        key: selector.given("key").map(|k| shared(k.as_str().unwrap())),
        unpack: flag("unpack"),
        unpack_before_selection: flag("unpack_before_selection"),
    };
    Ok(tensor(assign::selection(&input.tensor("source")?, &selector)?))
}

/// Statuses and identities, registered in order.
struct Names {
    aliases: Aliases,
    status: std::collections::BTreeMap<String, String>,
}

impl Names {
    fn new(input: &Input) -> Self {
        let status = input.entries("status").map(|(k, v)| (k.to_owned(), v.as_str().unwrap().to_owned()));
        let mut names = Self { aliases: Aliases::new(), status: status.collect() };
        for pair in input.list("pairs") {
            let (a, b) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            let status = &names.status;
            let is_complete = |name: &str| status.get(name).is_some_and(|s| s == "complete");
            let met = names.aliases.identify(a, b, is_complete);
            if let Some(met) = met.filter(|met| met.complete) {
                names.status.insert(met.canonical.to_string(), "complete".to_owned());
            }
        }
        names
    }

    fn status(&self, name: &str) -> &str {
        self.status.get(self.aliases.resolve(name)).map_or("empty", String::as_str)
    }
}

fn identity(input: &Input) -> Json {
    let names = Names::new(input);
    let ask = || input.list("ask").iter().map(|name| name.as_str().unwrap());
    let map = |of: &dyn Fn(&str) -> String| {
        ask().map(|name| (name.to_owned(), Json::from(of(name)))).collect::<serde_json::Map<_, _>>()
    };
    let links: serde_json::Map<_, _> =
        names.aliases.links().map(|(alias, of)| (alias.to_owned(), Json::from(of))).collect();
    json!({
        "alias": links,
        "resolved": map(&|name| names.aliases.resolve(name).to_owned()),
        "status": map(&|name| names.status(name).to_owned()),
    })
}

type Group = fn(&[Tensor], &[Arc<str>], &GroupSpec) -> Result<Tensor>;

fn group(input: &Input, run: Group) -> Result<Json> {
    let labels: Vec<Arc<str>> = input.list("labels").iter().map(|l| shared(l.as_str().unwrap())).collect();
    Ok(tensor(run(&input.tensors("tensors")?, &labels, &group_spec(input))?))
}

fn group_spec(input: &Input) -> GroupSpec {
    let by_axes = input.list("by_axes");
    GroupSpec {
        by_axes: if by_axes.is_empty() {
            ByAxes::Absent
        } else if by_axes.iter().any(Json::is_array) {
            ByAxes::PerSource(by_axes.iter().map(|names| axes(names.as_array().unwrap())).collect())
        } else {
            ByAxes::Flat(axes(by_axes))
        },
        create_axis: input.given("create_axis").map(|_| input.axis("create_axis")),
        protect_axes: input.axes("protect_axes"),
    }
}

fn group_step(input: &Input) -> Result<Json> {
    let syntax = Input(&input.0["syntax"]);
    let named = |key: &str| {
        let entry = |pair: &Json| {
            let tensor = if pair[1].is_null() { None } else { Some(Tensor::from_json(&pair[1])?) };
            Ok((shared(pair[0].as_str().unwrap()), tensor))
        };
        input.list(key).iter().map(entry).collect::<Result<Vec<_>>>()
    };
    let step = GroupStep {
        marker: match syntax.text("marker") {
            "in" => Marker::In,
            "across" => Marker::Across,
            other => panic!("unknown marker {other}"),
        },
        spec: group_spec(&syntax),
        by_axis_concepts: match syntax.given("by_axis_concepts") {
            Some(Json::String(name)) => vec![shared(name)],
            _ => syntax.list("by_axis_concepts").iter().map(|n| shared(n.as_str().unwrap())).collect(),
        },
    };
    let (values, context) = (named("values")?, named("context")?);
    let values: Vec<group::Named<'_>> = values.iter().map(|(n, t)| (Arc::clone(n), t.as_ref())).collect();
    let context: Vec<group::Named<'_>> = context.iter().map(|(n, t)| (Arc::clone(n), t.as_ref())).collect();
    Ok(tensor(group::group_step(&values, &context, &step)?))
}

fn elements(input: &Input) -> Result<Elements> {
    let group_base = input.given("group_base").and_then(Json::as_str);
    Ok(Elements::new(&input.tensor("base")?, input.text("concept"), &input.axis("axis_name"), group_base))
}

fn loop_elements(input: &Input) -> Result<Json> {
    let elements = elements(input)?;
    let visited = elements.visits(0).filter_map(|position| elements.element(position));
    Ok(json!({ "elements": visited.map(|e| e.to_json()).collect::<Vec<_>>() }))
}

fn loop_run(input: &Input) -> Result<Json> {
    let elements = elements(input)?;
    let mut results = vec![None; elements.len()];
    let given = input.maybes("results")?;
    let visits: Vec<usize> = elements.visits(0).collect();
    assert_eq!(visits.len(), given.len(), "one result a visited element");
    for (position, result) in visits.into_iter().zip(given) {
        results[position] = result;
    }
    let combined = combine_results(elements.axis(), &input.axis("infer"), &results)?;
    Ok(json!({ "tensor": combined.map(|t| t.to_json()) }))
}

fn loop_carry(input: &Input) -> Json {
    let mut carry = Carry::new(input.0["initial"].clone(), input.0["lag"].as_u64().unwrap() as usize);
    let mut seen = Vec::new();
    let read = |carry: &Carry<Json>| carry.read().cloned().unwrap_or(json!(SKIP_MARKER));
    for after in input.list("after") {
        seen.push(read(&carry));
        carry.leave(after.clone());
    }
    seen.push(read(&carry));
    json!({ "seen": seen })
}

fn timing(input: &Input) -> Result<Json> {
    let names = Names::new(input);
    let condition = names.aliases.resolve(input.text("condition"));
    let item = input.entries("flow").find(|(name, _)| *name == condition).and_then(|(_, item)| item.as_str());
    let detail = input.entries("detail").find(|(name, _)| Some(*name) == item);
    let mask = match input.given("mask").map(Input) {
        None => None,
        Some(mask) => Some(Mask {
            tensor: mask.tensor("mask")?,
            met: true,
            filter_axis: mask.given("filter_axis").map(|_| mask.axis("filter_axis")),
        }),
    };
    let decision = mask::gate(Gate {
        marker: match input.text("marker") {
            "after" => GateMarker::After,
            "if" => GateMarker::If,
            "if!" => GateMarker::IfNot,
            other => panic!("unknown marker {other}"),
        },
        complete: names.status(condition) == "complete",
        detail: detail.and_then(|(_, detail)| detail.as_str()).map(Detail::parse),
        mask: mask.as_ref(),
    });
    Ok(match decision {
        Decision::Wait => json!({ "ready": false, "skip": false, "filter": null }),
        Decision::Skip => json!({ "ready": true, "skip": true, "filter": null }),
        Decision::Run(filter) => {
            let filter = filter.map(|f| {
                let axis = f.filter_axis.as_str();
                json!({ "mask": f.mask.to_json(), "filter_axis": axis, "negate": f.negate })
            });
            json!({ "ready": true, "skip": false, "filter": filter })
        }
    })
}

fn filter(input: &Input) -> Result<Json> {
    let negate = input.given("negate") == Some(&json!(true));
    let (data, mask) = (input.tensor("tensor")?, input.tensor("mask")?);
    Ok(tensor(mask::apply_filter(&data, &mask, &input.axis("filter_axis"), negate)?))
}

fn truth_mask(input: &Input) -> Result<Json> {
    let quantifiers = input.entries("quantifiers").map(|(axis, word)| {
        let word = word.as_str().unwrap();
        let quantifier = Quantifier::parse(word).ok_or_else(|| Error::Malformed { problem: word.to_owned() });
        Ok((Axis::from(axis), quantifier?))
    });
    let quantifiers = quantifiers.collect::<Result<Vec<_>>>()?;
    let mask = mask::truth_mask(&input.tensor("tensor")?, &quantifiers, &input.data("condition"));
    let filter_axis = mask.filter_axis.as_ref().map(Axis::as_str);
    Ok(json!({ "tensor": mask.tensor.to_json(), "met": mask.met, "filter_axis": filter_axis }))
}
