//! The `samsara` command: what can be asked of it, and how it answers.
//!
//! Law: what a script reads goes to standard output, in one form whether it is asked as text or with
//! `--json`; what a person reads of a failure goes to standard error and says what to do next. The
//! exit code is 0 if all went well, 1 if not, 2 if nothing was tried since the words were wrong.

mod demo;
mod id;
mod inspect;

use std::{error::Error, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// An actor-model multi-node runtime.
#[derive(Debug, Parser)]
#[command(name = "samsara", version, about, propagate_version = true)]
struct Arguments {
    /// Answer with one JSON object a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    ask: Option<Ask>,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// Show samsara at work, and check what it did (default).
    Demo,
    /// Make or show the key that a host proves itself with.
    #[command(subcommand)]
    Id(id::Id),
    /// Show what a store holds.
    Inspect(inspect::Inspect),
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// What went wrong, for a person.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs the command with the words of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.ask.unwrap_or(Ask::Demo) {
        Ask::Demo => return demo::run(),
        Ask::Id(id) => id.run(arguments.json),
        Ask::Inspect(inspect) => inspect.run(arguments.json),
        Ask::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "samsara", &mut std::io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&*failure);
            ExitCode::FAILURE
        }
    }
}

/// Says what failed, and why, and why that.
fn tell(failure: &(dyn Error + 'static)) {
    eprintln!("samsara: {failure}");
    let mut cause = failure.source();
    while let Some(error) = cause {
        eprintln!("  because {error}");
        cause = error.source();
    }
}
