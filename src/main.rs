//! The `samsara` command. Without arguments it shows what stands today at work, and checks it.

use std::process::ExitCode;

fn main() -> ExitCode {
    samsara::cli::main()
}
