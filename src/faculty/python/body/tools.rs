//! The tools that scripts find in the body, with their methods by name.

use crate::base::nearest;
use crate::faculty::{Failure, FailureKind};

/// The tools that are known, with their methods as scripts call them.
const TOOLS: [(&str, &[&str]); 7] = [
    (
        "file_system",
        &[
            "read",
            "write",
            "save",
            "save_from_dict",
            "exists",
            "read_memorized_value",
            "save_memorized_value",
        ],
    ),
    ("llm", &["generate"]),
    ("prompt_tool", &["read", "render", "create_template_function"]),
    ("python_interpreter", &["execute", "function_execute", "create_function_executor"]),
    (
        "formatter_tool",
        &[
            "get",
            "wrap",
            "wrap_list",
            "parse",
            "clean_code",
            "parse_boolean",
            "collect_script_inputs",
            "create_template_function",
            "create_substitute_function",
            "create_smart_substitute_function",
        ],
    ),
    ("perception_router", &["strip_sign"]),
    ("user_input", &["create_input_function", "create_text_editor_function", "create_interaction"]),
];

/// Returns whether there is such a tool.
pub(super) fn is_known(tool: &str) -> bool {
    TOOLS.iter().any(|(known, _)| *known == tool)
}

/// The failure for a method that a known tool does not have.
pub(super) fn unknown(tool: &str, method: &str) -> Failure {
    let methods = TOOLS.iter().find(|(known, _)| *known == tool).map_or(&[][..], |(_, methods)| methods);
    let failure =
        Failure::new(FailureKind::UnsupportedAffordance, format!("`body.{tool}` has no method `{method}`"));
    match nearest(method, methods.iter().copied()) {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None => failure.with_help(format!("its methods are {}", methods.join(", "))),
    }
}
