//! The demonstration: Nodes at work, which fall, are fed poison, and lose their process; and the
//! count that must come out all the same.
//!
//! Law: it prints only what it counted, and fails if a single call is missing or done twice.

mod falls;
mod stops;
mod tally;

use std::{ops::RangeInclusive, process::ExitCode, time::Instant};

use tokio::runtime::Builder;

use super::{Failure, tell};

/// Something that was counted, and what it had to be.
struct Finding {
    what: &'static str,
    found: u64,
    wanted: RangeInclusive<u64>,
}

impl Finding {
    fn exactly(what: &'static str, found: u64, wanted: u64) -> Self {
        Self { what, found, wanted: wanted..=wanted }
    }

    fn holds(&self) -> bool {
        self.wanted.contains(&self.found)
    }

    fn tell(&self) {
        let (what, found, wanted) = (self.what, self.found, &self.wanted);
        let (least, most) = (wanted.start(), wanted.end());
        let verdict = match self.holds() {
            true if least == most => "exactly".to_owned(),
            true => format!("within {least} and {most}"),
            false => format!("WRONG, wanted {least} to {most}"),
        };
        println!("  {what:<44} {found:>9}  {verdict}");
    }
}

/// Runs the demonstration and tells whether everything was accounted for.
pub(crate) fn run() -> ExitCode {
    let began = Instant::now();
    let runtime = Builder::new_multi_thread().enable_all().build();
    let shown = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(show()));
    let findings = match shown {
        Ok(findings) => findings,
        Err(failure) => {
            tell(&*failure);
            return ExitCode::FAILURE;
        }
    };
    println!("\nAll counted, in {:.1} s:", began.elapsed().as_secs_f64());
    findings.iter().for_each(Finding::tell);
    if findings.iter().all(Finding::holds) {
        println!("\nNothing that was acknowledged was lost, and nothing was done twice.");
        println!("Next:");
        println!(
            "  cargo run -p samsara-examples --example counter_service   a service under kill -9"
        );
        println!("  cargo run --release -p samsara-bench                      what it costs");
        println!("  cargo test                                                proves it");
        println!("and README.md shows how to use it.");
        ExitCode::SUCCESS
    } else {
        println!("\nThis is a bug in samsara: please report the lines above.");
        ExitCode::FAILURE
    }
}

async fn show() -> Result<Vec<Finding>, Failure> {
    let mut findings = falls::show().await?;
    findings.extend(stops::show().await?);
    Ok(findings)
}
