//! The long names of existing plans: which way to prepare and which plan make up each (semantics spec, section 10.7).

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

static PARTS: LazyLock<Json> =
    LazyLock::new(|| serde_json::from_str(include_str!("long.json")).unwrap_or(Json::Null));

/// A name, its way to prepare, its plan, and what stands for the plan's `<...>`.
type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const ROWS: &[Row] = &[
    ("c_ChatRead-o_Literal", "hear", "hear", &[]),
    ("c_ChatSessionClose-o_Status", "close", "hear", &[]),
    ("h_Command-c_CanvasExecute-o_Status", "none", "canvas", &[]),
    ("h_Data-c_PassThrough-o_Normal", "none", "pass", &[]),
    ("h_FileData-c_LoadParse-o_Normal", "none", "load", &[]),
    ("h_InitialText-c_EditText-o_Normal", "edit", "edit", &[]),
    ("h_InitialText_SavePath-c_EditText_Save-o_FileLocation", "edit", "edit-save", &[]),
    ("h_LiteralPath-c_ReadFile-o_Literal", "none", "read", &[]),
    ("h_LiteralPath-c_ReadFileIfExists-o_Literal", "none", "read-or-create", &[]),
    ("h_LiteralPath-h_Literal-c_WriteFile-o_Literal", "none", "write", &[]),
    ("h_Memo-v_Prompt-c_LLMGenerate-o_Command", "prompt-file", "command", &[]),
    ("h_Memo-v_Prompt-c_LLMGenerate-o_Truth", "prompt-file", "truth", &[]),
    ("h_Message_Status-v_Prompt-c_LLMGenerate-o_Memo", "prompt-file", "text", &[]),
    (
        "h_PromptTemplateInputOther_SaveDir-c_GenerateThinkJson-Extract-Save-o_FileLocation",
        "prompt-bundle",
        "think-save-first",
        &[],
    ),
    (
        "h_PromptTemplateInputOther_SaveDir-c_GenerateThinkJson-Extract-Save-o_FileLocationList",
        "prompt-bundle",
        "think-save-all",
        &[],
    ),
    (
        "h_PromptTemplateWInputOther_SaveDir-c_GenerateThinkJson-Extract-Save-o_FileLocationList",
        "prompt-bundle",
        "think-save-all",
        &[],
    ),
    (
        "h_PromptTemplate_SaveDir-c_GenerateThinkJson-Extract-Save-o_FileLocation",
        "prompt-input",
        "think-save-first",
        &[],
    ),
    (
        "h_PromptTemplate_SavePath-c_GenerateThinkJson-Extract-Save-o_FileLocation",
        "prompt-input",
        "think-save",
        &[],
    ),
    (
        "h_PromptTemplate_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_Execute-o_Normal",
        "prompt-input",
        "script-or-write",
        &[("vars", "__initial_input__"), ("wrap", "formatter_tool.wrap"), ("norm", "")],
    ),
    (
        "h_PromptTemplate_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_ExecuteWBody-o_FileLocationList",
        "prompt-input",
        "script-or-write",
        &[("vars", "__initial_input__"), ("wrap", "formatter_tool.wrap_list"), ("norm", "file_location")],
    ),
    (
        "h_PromptTemplate_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_ExecuteWBody-o_Normal",
        "prompt-input",
        "script-or-write",
        &[("vars", "__initial_input__"), ("wrap", "formatter_tool.wrap"), ("norm", "")],
    ),
    ("h_Response-c_ChatWrite-o_Status", "none", "answer", &[]),
    ("h_UserPrompt-c_Ask-o_Normal", "ask", "ask", &[("norm", "")]),
    ("h_UserPrompt-c_AskForConfirmation-o_Boolean", "confirm", "ask-plainly", &[]),
    ("h_UserPrompt-c_AskForFilePath-o_FileLocation", "ask", "ask", &[("norm", "file_location")]),
    ("h_UserPrompt-c_AskForMultipleFiles-o_FileLocationList", "files", "ask-files", &[]),
    ("v_Prompt-h_Data-c_ThinkJSON-o_Normal", "prompt-file", "think", &[("key", "answer"), ("norm", "")]),
    (
        "v_PromptLocation-h_Literal-c_GenerateThinkJson-o_Boolean",
        "prompt-file",
        "think",
        &[("key", "is_vague"), ("norm", "truth_value")],
    ),
    (
        "v_PromptLocation-h_Literal-c_GenerateThinkJson-o_Literal",
        "prompt-file",
        "think",
        &[("key", "result"), ("norm", "")],
    ),
    (
        "v_PromptTemplate-h_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_Execute-o_Normal",
        "prompt-name",
        "script-or-write",
        &[("vars", "inputs"), ("wrap", "formatter_tool.wrap"), ("norm", "")],
    ),
    ("v_Script-h_Data-c_Execute-o_Normal", "script", "run-read", &[]),
    (
        "v_ScriptLocation-h_Literal-c_Execute-o_Boolean",
        "script",
        "run",
        &[("wrap", "formatter_tool.wrap"), ("norm", "truth_value")],
    ),
    (
        "v_ScriptLocation-h_Literal-c_Execute-o_ListLiteral",
        "script",
        "run",
        &[("wrap", "formatter_tool.wrap_list"), ("norm", "")],
    ),
    (
        "v_ScriptLocation-h_Literal-c_Execute-o_Literal",
        "script",
        "run",
        &[("wrap", "formatter_tool.wrap"), ("norm", "")],
    ),
];

/// Every long name with its paradigm in the short form.
pub(super) fn documents() -> impl Iterator<Item = (&'static str, Option<Json>)> {
    ROWS.iter().map(|(name, setup, plan, names)| {
        let part = |kind: &str, key: &str| PARTS.get(kind).and_then(|parts| parts.get(key));
        let document = || {
            let plan = part("plans", plan)?;
            let steps = plan.get("plan").map(|steps| filled(steps, names))?;
            Some(json!({"about": plan.get("about")?, "setup": part("setups", setup)?, "plan": steps}))
        };
        (*name, document())
    })
}

/// A part with each `<name>` replaced.
fn filled(part: &Json, names: &[(&str, &str)]) -> Json {
    match part {
        Json::String(text) => {
            let name = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
            let given = name.and_then(|name| names.iter().find(|(known, _)| *known == name));
            Json::from(given.map_or(text.as_str(), |(_, value)| value))
        }
        Json::Array(items) => items.iter().map(|item| filled(item, names)).collect(),
        Json::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), filled(v, names))).collect()),
        other => other.clone(),
    }
}
