//! How readings look: a table for people, lines for programs.
//!
//! Law: both say the same; figures go to standard output, progress never does.

use std::fmt::Write as _;

use crate::row::{Promise, Reading, Row, Verdict};

const HEAD: [&str; 7] = ["name", "value", "unit", "baseline", "ratio", "target", "verdict"];

/// An aligned table.
pub(crate) fn table(readings: &[Reading]) -> String {
    aligned(std::iter::once(HEAD.map(str::to_owned)).chain(readings.iter().map(cells)).collect())
}

/// The rows and what they promise.
pub(crate) fn list<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let head = ["name", "unit", "baseline", "target"].map(str::to_owned);
    let cells = rows.map(|row| {
        [row.name.to_owned(), row.unit.to_owned(), row.baseline.to_owned(), target(row.promise)]
    });
    aligned(std::iter::once(head).chain(cells).collect())
}

/// One object a line.
pub(crate) fn json(readings: &[Reading]) -> String {
    let mut text = String::new();
    for reading in readings {
        let Row { name, unit, promise, .. } = reading.row;
        let met = match reading.verdict {
            Verdict::Met => "true",
            Verdict::Missed => "false",
            Verdict::NotJudged => "null",
        };
        writeln!(
            text,
            "{{\"name\":\"{name}\",\"value\":{},\"unit\":\"{unit}\",\"baseline\":{},\
             \"ratio\":{},\"target\":\"{}\",\"met\":{met}}}",
            number(Some(reading.figure.value)),
            number(reading.figure.baseline),
            number(reading.ratio),
            target(*promise),
        )
        .expect("a string takes what is written to it");
    }
    text
}

fn cells(reading: &Reading) -> [String; 7] {
    let Row { name, unit, baseline, promise } = reading.row;
    let beside = reading.figure.baseline.map(|figure| format!("{} ({baseline})", short(figure)));
    let verdict = match reading.verdict {
        Verdict::Met => "met",
        Verdict::Missed => "MISSED",
        Verdict::NotJudged => "-",
    };
    [
        (*name).to_owned(),
        short(reading.figure.value),
        (*unit).to_owned(),
        beside.unwrap_or_else(|| "-".to_owned()),
        reading.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
        target(*promise),
        verdict.to_owned(),
    ]
}

fn target(promise: Promise) -> String {
    match promise {
        Promise::RatioAtLeast(least) => format!("ratio >= {least}"),
        Promise::RatioAtMost(most) => format!("ratio <= {most}"),
        Promise::ValueAtMost(most) => format!("value <= {most}"),
        Promise::ValueAtLeast(least) => format!("value >= {least}"),
        Promise::Orientation => "-".to_owned(),
    }
}

/// Three digits that matter, or all before the point.
fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 || size == 0.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

fn number(figure: Option<f64>) -> String {
    figure.filter(|figure| figure.is_finite()).map_or_else(|| "null".to_owned(), |n| n.to_string())
}

fn aligned<const N: usize>(lines: Vec<[String; N]>) -> String {
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Figure;

    static KEPT: Row = Row {
        name: "wire.encode.64",
        unit: "ns",
        baseline: "prost",
        promise: Promise::RatioAtMost(1.5),
    };
    static READ: Row =
        Row { name: "w", unit: "B", baseline: "", promise: Promise::ValueAtMost(5.0) };

    fn readings() -> Vec<Reading> {
        let kept = Figure { value: 60.5, baseline: Some(50.0) };
        let read = Figure { value: 1234.5, baseline: None };
        vec![Reading::new(&KEPT, kept, false), Reading::new(&READ, read, false)]
    }

    #[test]
    fn the_table_lines_up() {
        let wanted = "\
name            value  unit  baseline    ratio  target        verdict
wire.encode.64  60.5   ns    50.0 (prost)  1.21   ratio <= 1.5  met
w               1234   B     -           -      value <= 5    MISSED
";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let got = table(&readings());
        assert_eq!(squeezed(&got), squeezed(wanted));
        let starts: Vec<_> = got.lines().map(|line| line.rfind("  ")).collect();
        assert_eq!(starts.first(), starts.get(1), "{got}");
        assert_eq!(starts.first(), starts.get(2), "{got}");
    }

    #[test]
    fn a_line_of_json_has_every_member() {
        let text = json(&readings());
        let mut lines = text.lines();
        let kept = r#"{"name":"wire.encode.64","value":60.5,"unit":"ns","baseline":50,"ratio":1.21,"target":"ratio <= 1.5","met":true}"#;
        let read = r#"{"name":"w","value":1234.5,"unit":"B","baseline":null,"ratio":null,"target":"value <= 5","met":false}"#;
        assert_eq!((lines.next(), lines.next(), lines.next()), (Some(kept), Some(read), None));
    }
}
