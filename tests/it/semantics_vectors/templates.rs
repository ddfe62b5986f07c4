//! `templates.jsonl`: substitution.

use normc::base::{Value, smart_substitute, substitute, text_of};
use serde_json::{Value as Json, json};

use super::{Answer, plain, value};

pub(super) fn run(op: &str, case: &Json) -> Answer {
    Some(match op {
        "substitute" => {
            let vars = Value::from_data_json(&plain(&case["vars"]));
            Json::String(substitute(case["template"].as_str().unwrap(), &|name| lookup(&vars, name)))
        }
        "substitute_in_vars" => substitute_in_vars(&value(&case["vars"])),
        "smart_substitute" => {
            let Value::Map(vars) = value(&case["vars"]) else { panic!("vars are a map") };
            Json::String(smart_substitute(case["template"].as_str().unwrap(), &vars, "input_other"))
        }
        _ => return None,
    })
}

fn lookup(vars: &Value, name: &str) -> Option<String> {
    let Value::Map(map) = vars else { return None };
    map.get(name).map(text_of)
}

fn substitute_in_vars(vars: &Value) -> Json {
    match lookup(vars, "prompt_template") {
        None => json!({"error": "missing_template", "about": "prompt_template"}),
        Some(template) => {
            let others = |name: &str| if name == "prompt_template" { None } else { lookup(vars, name) };
            Json::String(substitute(&template, &others))
        }
    }
}
