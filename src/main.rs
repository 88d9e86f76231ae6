//! The `samsara` command. Without arguments it shows what stands today at work, and checks it.

mod demo;

use std::{env, process::ExitCode};

const HELP: &str = "\
samsara: an actor-model multi-node runtime

usage: samsara [demo]

  demo    crash a mailbox's reader two hundred times under load and count what is lost (default)
";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["demo"] => demo::run(),
        ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        ["-V" | "--version"] => {
            println!("samsara {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        unknown => {
            eprintln!("samsara: unknown argument `{}`; try `samsara --help`", unknown.join(" "));
            ExitCode::from(2)
        }
    }
}
