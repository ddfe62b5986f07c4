//! normc: compiler and runner for NormCode, an indentation-based language in which people write multi-step
//! workflows as *inferences*. Each inference sees exactly the values the plan passes to it and nothing else.
//!
//! # The way of a plan
//!
//! ```text
//!  source text ──▶ syntax::Tree ──▶ plan::Plan ──▶ repo::Repositories ──▶ run::Graph
//!                                                     (plan.json)             │
//!        cli ◀── report ◀─────────────── run::Watch ◀── engine ◀── run::Event
//!                                                      │    ▲
//!                       store: journal, index, objects ◀    faculty: built-ins, python, commands,
//!                                                                    files, models, people
//! ```
//!
//! Data flows one way; a module imports only modules that stand before it in this list:
//!
//! | module | holds | knows nothing of |
//! |---|---|---|
//! | [`base`] | spans, flow indices, the value model and its text, questions to people | plans |
//! | [`diag`] | the one [`diag::Diagnostic`] type, its codes and pages, the renderers | who raises them |
//! | [`tensor`] | [`tensor::Tensor`] with named axes and its algebra | plans, runs |
//! | [`syntax`] | layout of lines, the grammar, the typed tree; never fails | meaning |
//! | [`plan`] | the resolved plan: concepts, inferences, checks | files, JSON |
//! | [`repo`] | repositories, the bundle `plan.json`, lowering and loading, the typed [`repo::Model`] | source syntax |
//! | [`run`] | graph, events, state, loops, what steps do and ask for: **pure** | threads, files, clocks |
//! | [`faculty`] | what acts on the world: built-ins, Python workers, commands, files, models, people | plans, steps |
//! | [`store`] | run directories: the journal of a run, its objects, its index; a simulated disk | what records say |
//! | [`engine`] | the driver: owns the [`run::State`], hands work to threads, applies and records events; goes on with runs | presentation |
//! | [`report`] | progress, tables, diagnostics of runs | the engine |
//! | [`ide`] | what an editor asks of a plan: hover, jumps, mends, an outline | protocols |
//! | [`lsp`] | the language server protocol over it | what a plan means |
//! | [`cli`] | one file a command | - |
//!
//! Everything before [`faculty`] is pure: files, clocks and threads come in as arguments. The state of a run changes
//! only by [`run::State::apply`]; what a person sees is made from the same events.
//!
//! # What a step does
//!
//! A syntactic step computes with tensors and asks for nothing. A semantic step is prepared once
//! ([`run::sequence::SemanticTask::prepare`], which reads prompts and paradigms through [`run::Means`]) and gives one
//! [`run::sequence::Cell`] a combination of its inputs. A cell is a machine that stops at each [`run::effect::Effect`]
//! — a prompt, a script, a question, a file — and goes on with its answer; what a [`run::paradigm::Paradigm`] says is
//! one such machine ([`run::paradigm::Machine`]). So every answer can be written down before it is used, a question
//! holds no thread, and a resumed run gives recorded answers to fresh machines.
//!
//! [`engine::Tools`] sends each effect to its faculty: built-ins and reading files at once, scripts and commands to
//! processes, prompts to [`faculty::llm`], questions to whoever the [`engine::Desk`] reaches. What a script asks for
//! through `body` takes the same way.
//!
//! # What survives
//!
//! The same events, as [`run::record::Record`]s, are what is kept: one [`store::Frame`] a record, in a journal that is
//! only ever added to. [`engine::Session`] writes it, in the order that lets nothing outside depend on what could still
//! be lost; [`engine::Resumption`] folds it back ([`run::replay`]) and finds what a change has made stale
//! ([`run::stale`]). The index beside it answers questions and holds copies for repair; it is never the truth.
//!
//! # Terms
//!
//! | term | here |
//! |---|---|
//! | concept | a named value, [`repo::Concept`] |
//! | inference | one step of a plan: infers a concept by a function from values, [`repo::Inference`] |
//! | flow index | where an inference stands, [`base::FlowIndex`] |
//! | sequence | the kind of work an inference does, [`repo::Work`] |
//! | reference | the value of a concept: a [`tensor::Tensor`] |
//! | axis | a named dimension of a reference, [`tensor::Axis`] |
//! | blackboard | what every concept and inference has come to, [`run::State`] |
//! | cycle | the round of a step: one more than the highest of what it waited for |
//! | gate | a timing inference, which lets another one run or be skipped |
//! | step | an inference at one loop position, [`run::StepKey`] |
//! | paradigm | how a step turns its inputs into calls, [`run::paradigm::Paradigm`] |
//! | agent | who does a step: its model, tools and limits, [`repo::agents::Agent`] |
//! | intent | the record that a step's calls are about to be made, [`run::record::Intent`] |
//! | epoch | a stretch of a run with one plan and setting, from its start or a resumption to the next, [`run::record::Epoch`] |

pub mod base;
pub mod cli;
pub mod diag;
pub mod engine;
pub mod faculty;
pub mod ide;
pub mod lsp;
pub mod plan;
pub mod repo;
pub mod report;
pub mod run;
pub mod store;
pub mod syntax;
pub mod tensor;

/// The README's Rust blocks are tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
