//! `normc explain CODE`: the page of a diagnostic code.

use std::fmt::Write;

use crate::diag::{self, Code};

use super::Exit;
use super::output::{complain, print};

/// Explain a diagnostic code, with a bad and a good plan
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The code, such as NC201; without it all codes are listed
    code: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let text = match &arguments.code {
        None => list(),
        Some(code) => match Code::parse(code) {
            Some(code) => diag::page(code).to_owned(),
            None => {
                let message = format!("`{code}` is no diagnostic code");
                complain(&message, Some("`normc explain` without a code lists all of them"));
                return Exit::NotFound;
            }
        },
    };
    print(&text).err().unwrap_or(Exit::Done)
}

fn list() -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let _ = writeln!(text, "{code}  {:<7}  {}", code.severity().word(), code.title());
    }
    text
}
