//! `samsara-bench`: the numbers that samsara promises, each beside its baseline of the same run.
//!
//! Law: the ratio is the promise. Subject and baseline take turns in one process, and a row that
//! misses what it promises fails the run.

mod args;
mod report;
mod rounds;
mod row;
mod rows;

use std::process::ExitCode;

use samsara_tests::counting::CountingAllocator;

use crate::{
    args::Options,
    row::{Context, Group, Reading, Row, Verdict},
};

/// Counts cost subject and baseline the same few instructions an allocation.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const MISSED: u8 = 1;
const BAD_CALL: u8 = 2;

fn main() -> ExitCode {
    let options = match args::parse(std::env::args().skip(1), &names()) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("samsara-bench: {complaint}");
            return ExitCode::from(BAD_CALL);
        }
    };
    if options.help {
        print!("{}", args::USAGE);
        return ExitCode::SUCCESS;
    }
    if options.list {
        print!("{}", report::list(rows().filter(|row| options.wants(row.name))));
        return ExitCode::SUCCESS;
    }
    match measure(&options) {
        Ok(readings) => conclude(&options, &readings),
        Err(failure) => {
            eprintln!("samsara-bench: {failure}");
            ExitCode::from(MISSED)
        }
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    rows::GROUPS.iter().flat_map(|group| group.rows)
}

fn names() -> Vec<&'static str> {
    rows().map(|row| row.name).collect()
}

/// Runs every group that has a wanted row.
fn measure(options: &Options) -> Result<Vec<Reading>, String> {
    let context = Context { rounds: options.rounds, is_quick: options.quick };
    let wanted = |group: &&Group| group.rows.iter().any(|row| options.wants(row.name));
    let mut readings = Vec::new();
    for group in rows::GROUPS.iter().filter(wanted) {
        eprintln!("measuring {}: {}", group.name, group.what);
        let figures = (group.run)(&context).map_err(|why| format!("{}: {why}", group.name))?;
        if figures.len() != group.rows.len() {
            let (got, wanted) = (figures.len(), group.rows.len());
            return Err(format!("{}: {got} figures for {wanted} rows", group.name));
        }
        let read = group.rows.iter().zip(figures);
        let read = read.map(|(row, figure)| Reading::new(row, figure, options.quick));
        readings.extend(read.filter(|reading| options.wants(reading.row.name)));
    }
    Ok(readings)
}

fn conclude(options: &Options, readings: &[Reading]) -> ExitCode {
    print!("{}", if options.json { report::json(readings) } else { report::table(readings) });
    let missed = readings.iter().filter(|reading| reading.verdict == Verdict::Missed);
    let missed: Vec<&str> = missed.map(|reading| reading.row.name).collect();
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("missed: {}", missed.join(", "));
    ExitCode::from(MISSED)
}
