//! The typed form of a plan's repositories: what a run is built from. Defaults are applied here and never written
//! back (repositories spec, section 9).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::FlowIndex;
pub use crate::tensor::mask::GateMarker;

/// A whole plan, checked: every name in an inference is a concept of the list, indices are unique.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The concepts, in file order.
    pub concepts: Vec<Concept>,
    /// The inferences, sorted by flow index.
    pub inferences: Vec<Inference>,
}

/// The number of a concept: its place in [`Model::concepts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConceptId(pub u32);

/// A named value (repositories spec, section 1).
#[derive(Debug, Clone)]
pub struct Concept {
    /// Canonical name, brackets included.
    pub name: Arc<str>,
    /// What kind of thing it is.
    pub kind: ConceptKind,
    /// The name of the axis its own result makes; the bare name when the entry has none.
    pub axis_name: Arc<str>,
    /// Data exists before the run.
    pub ground: bool,
    /// An output of the run.
    pub is_final: bool,
    /// Kept by a loop's reset.
    pub invariant: bool,
    /// The data as written (inputs applied), none when there is none.
    pub data: Option<Json>,
    /// Axis names of the data, outermost first; none when none are declared.
    pub axes: Option<Vec<Arc<str>>>,
}

/// Value or function, by the entry's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConceptKind {
    /// `{}`.
    Object,
    /// `[]`.
    Relation,
    /// `<>`.
    Proposition,
    /// Every other type: an operation.
    Function,
}

impl ConceptKind {
    /// Returns whether the concept holds a value of the plan.
    pub fn is_value(self) -> bool {
        self != Self::Function
    }
}

/// One inference entry (repositories spec, section 2).
#[derive(Debug, Clone)]
pub struct Inference {
    /// Its flow index.
    pub flow: FlowIndex,
    /// The sequence as written, `imperative_python`.
    pub sequence: Arc<str>,
    /// The concept to infer.
    pub target: ConceptId,
    /// The function concept.
    pub function: Option<ConceptId>,
    /// The value concepts, in order, without repetition.
    pub values: Vec<ConceptId>,
    /// The context concepts, in order.
    pub contexts: Vec<ConceptId>,
    /// What it does.
    pub work: Work,
    /// When it may start before what it normally waits for.
    pub start: StartFlags,
}

/// The six start flags, defaults applied (repositories spec, section 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StartFlags {
    /// Never wait for values.
    pub without_value: bool,
    /// Do not wait for values on the first run.
    pub without_value_once: bool,
    /// Never wait for the function concept.
    pub without_function: bool,
    /// Do not wait for the function concept on the first run.
    pub without_function_once: bool,
    /// Never wait for entries below this one.
    pub with_support_only: bool,
    /// Do not wait for entries below this one on the first run.
    pub without_support_once: bool,
}

/// What an inference does, by its sequence.
#[derive(Debug, Clone)]
pub enum Work {
    /// `assigning`.
    Assigning(Assigning),
    /// `grouping`.
    Grouping(Grouping),
    /// `timing`.
    Timing(Timing),
    /// `quantifying` and `looping`.
    Looping(Looping),
    /// Every imperative and judgement sequence.
    Semantic(Arc<Semantic>),
    /// `simple`: passes its first value on.
    Simple,
}

/// `syntax` of an assigning inference (repositories spec, section 3.3).
#[derive(Debug, Clone)]
pub enum Assigning {
    /// `$.`: the first source that has data.
    Specification {
        /// Candidates in order.
        sources: Vec<ConceptId>,
        /// Written as a list: the step needs only one of them.
        any: bool,
        /// Used when no source has data; only when it also is a value concept.
        destination: Option<ConceptId>,
    },
    /// `$+`: append.
    Continuation {
        /// The item; none when the entry names none.
        source: Option<ConceptId>,
        /// What it is appended to.
        destination: ConceptId,
        /// Axes to append along, only the first counts.
        by_axes: Vec<Arc<str>>,
    },
    /// `$%`: a literal becomes data.
    Abstraction {
        /// The literal.
        face: Json,
        /// Axis names for it.
        axes: Option<Vec<Arc<str>>>,
    },
    /// `$-`: pick.
    Selection {
        /// What is picked from.
        source: ConceptId,
        /// How.
        selector: JsonMap<String, Json>,
    },
    /// `$=`: two names, one concept.
    Identity {
        /// The name that stays.
        canonical: ConceptId,
        /// The other name.
        alias: ConceptId,
    },
}

/// `syntax` of a grouping inference (repositories spec, section 3.4).
#[derive(Debug, Clone)]
pub struct Grouping {
    /// `in` (records) or `across` (lists).
    pub marker: GroupMarker,
    /// Context concepts whose axes are collapsed; empty means all contexts.
    pub by_axis_concepts: Vec<ConceptId>,
    /// Axes that are never collapsed.
    pub protect_axes: Vec<Arc<str>>,
    /// Explicit axes to collapse.
    pub by_axes: ByAxes,
    /// Name of the new axis.
    pub create_axis: Option<Arc<str>>,
}

/// The two kinds of grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupMarker {
    /// A record keyed by concept name.
    In,
    /// One flat list.
    Across,
}

/// The forms of `by_axes`; which one is written selects the mode (tensor spec, section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByAxes {
    /// Not given.
    Absent,
    /// One list for all sources.
    Flat(Vec<Arc<str>>),
    /// One list a source.
    PerSource(Vec<Vec<Arc<str>>>),
}

/// `syntax` of a timing inference: a gate (repositories spec, section 3.5).
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// When it opens.
    pub marker: GateMarker,
    /// The concept it asks.
    pub condition: ConceptId,
}

/// `syntax` of a loop (repositories spec, section 3.6).
#[derive(Debug, Clone)]
pub struct Looping {
    /// Loop number as written; for messages only.
    pub number: u32,
    /// What is walked.
    pub base: ConceptId,
    /// The element of the present iteration.
    pub element: ConceptId,
    /// Axis name, or the name of a concept whose axis is meant; none means the base's first axis.
    pub group_base: Option<Arc<str>>,
    /// Carried values.
    pub carried: Vec<Carried>,
    /// What the loop's results make.
    pub result: ConceptId,
}

/// A carried value: its state `lag` iterations ago is what an iteration reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The concept.
    pub concept: ConceptId,
    /// How many iterations back; 0 means not carried at all.
    pub lag: u32,
}

/// The working interpretation of a semantic step (repositories spec, sections 3.1 and 3.2).
#[derive(Debug, Clone)]
pub struct Semantic {
    /// A judgement; else an imperative.
    pub judgement: bool,
    /// How the step works.
    pub method: Method,
    /// The concepts among [`Semantic::passed`], in the same order.
    pub order: Vec<ConceptId>,
    /// The values that are passed, sorted by their number; other values are only waited for.
    pub passed: Vec<Passed>,
    /// Old condition: every cell must match it. `"True"` and so on.
    pub condition: Option<Json>,
    /// Assertion of a composition judgement.
    pub assertion: Option<Assertion>,
    /// The result is a list (old imperatives).
    pub relation_output: bool,
    /// A list result makes an axis (composition).
    pub create_axis_on_list_output: bool,
    /// Name of that axis when the entry gives one.
    pub output_axis_name: Option<Arc<str>>,
    /// Class `once`: never run twice.
    pub once: bool,
    /// Seconds before the step is given up.
    pub timeout: Option<f64>,
    /// The agent that does the step, by its id in the agents file; none when the file's mappings say it.
    pub agent: Option<Arc<str>>,
    /// How often a reply that cannot be read is asked for again; none leaves it to the run.
    pub reply_retries: Option<u32>,
    /// The model the step names; none takes its agent's.
    pub model: Option<Arc<str>>,
    /// The JSON schema its reply must fit; a text is the path of a file that holds it.
    pub schema: Option<Arc<Json>>,
    /// Constants under names of their own (`values`), in file order.
    pub constants: Vec<(Arc<str>, Json)>,
    /// The reply holds thoughts beside the answer (old sequences).
    pub with_thinking: bool,
    /// Where old sequences look for what they need among their inputs.
    pub keys: InputKeys,
}

/// The names under which old sequences find what they need among their inputs (repositories spec, section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputKeys {
    /// The prompt template of a direct step: `template_key`.
    pub template: Arc<str>,
    /// The question of an input step, the place of the prompt of a script step: `prompt_key`.
    pub prompt: Arc<str>,
    /// The place of the script: `script_key`.
    pub script: Arc<str>,
}

/// One entry of `value_order`: a value, or a part of one under a name of its own.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The name in `value_order`: the concept's own, or one that only `value_selectors` defines.
    pub key: Arc<str>,
    /// Where it comes from.
    pub source: Source,
    /// How it is picked; the selector as written (repositories spec, section 3.1.1).
    pub selector: Option<JsonMap<String, Json>>,
}

/// Where a value that is passed comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A value concept of the step.
    Concept(ConceptId),
    /// A constant of the step's own, by its name in [`Semantic::constants`].
    Constant(Arc<str>),
    /// Neither: the step fails when it is reached (semantics spec, section 4).
    Unknown(Arc<str>),
}

/// How a semantic step works, from its sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// `imperative`, `judgement`: the model is asked.
    Plain,
    /// `*_direct`: a prompt template is filled.
    Direct,
    /// `imperative_input`: a person is asked.
    Input,
    /// `*_python`: a script or a built-in is run.
    Python,
    /// `*_python_indirect`: the model writes the script first.
    PythonIndirect,
    /// `*_in_composition`: a paradigm.
    Composition {
        /// Its name.
        paradigm: Arc<str>,
    },
}

/// Truth assertion of a composition judgement (semantics spec, section 8.1).
#[derive(Debug, Clone)]
pub struct Assertion {
    /// Axis name and quantifier word, in file order.
    pub quantifiers: Vec<(Arc<str>, Arc<str>)>,
    /// What a cell is compared with.
    pub condition: Json,
}
