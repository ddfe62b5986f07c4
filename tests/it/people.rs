//! Questions to people, from the plan to the journal and back: answer files, mailboxes, terminals, `normc answer`.

mod deadline;
mod mailbox;
mod scripted;
mod stored;
mod terminal;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::support::program;

/// Three questions that do not depend on each other, and one for every letter.
const PLAN: &str = "\
:<:({all})
    <= &in({name};{sure};{colour};{marks})
    <- {name}
        <= ::(ask for a name)
            | %{ask}: \"Who are you?\"
    <- {sure}
        <= ::(ask whether it is so)
            | %{ask}: \"Are you sure?\"
            | %{ask_kind}: confirm
    <- {colour}
        <= ::(ask for a colour)
            | %{ask}: \"Which colour?\"
            | %{options}: [\"red\", \"dark blue\"]
    <- {marks}
        <= *every({letters})%:[{letter}]@(1)
            <= $.({mark})
            <- {mark}
                <= ::(ask for the mark of {1}<$({letter})%_>)
                    | %{ask}: \"What mark has it?\"
                <- {letters}*1<:{1}>
        <- {letters} | ref. %(letter)=[\"a\", \"b\"]
";

/// A folder with a plan in it.
fn folder(plan: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.nc"), plan).unwrap();
    folder
}

/// normc with arguments, divided by blanks, and no terminal.
fn normc(folder: &Path, arguments: &str) -> Command {
    let mut command = program(folder);
    command.args(arguments.split(' ')).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &str) -> Output {
    normc(folder, arguments).output().unwrap()
}

/// Exit code, standard output, standard error.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The ids of the questions in an object.
fn ids(json: &Json) -> Vec<&str> {
    json["questions"].as_array().unwrap().iter().map(|q| q["id"].as_str().unwrap()).collect()
}

/// The goal, as JSON.
fn goal(json: &Json) -> String {
    json["finals"]["{all}"]["data"][0].to_string()
}
