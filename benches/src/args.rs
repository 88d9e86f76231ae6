//! What the command line asks for.
//!
//! Law: a call that is not understood is refused in one line that says what would be.

/// How to call it.
pub(crate) const USAGE: &str = "\
samsara-bench [--only PREFIX,…] [--rounds N] [--quick] [--json] [--list]
  --only a,b   rows whose name starts with a or with b
  --rounds N   rounds after the warm-up, at least 5 (default 7)
  --quick      a smoke run: tiny, judges nothing
  --json       one object a line: name, value, unit, baseline, ratio, target, met
  --list       the rows, without measuring
";

/// Fewer rounds have no median worth a verdict.
const ROUNDS_MIN: usize = 5;
const ROUNDS: usize = 7;

/// A call that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) only: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) json: bool,
    pub(crate) list: bool,
    pub(crate) help: bool,
}

impl Options {
    /// Whether a row was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}

/// Reads the arguments after the program's name. `names` are the rows that exist.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = String>,
    names: &[&str],
) -> Result<Options, String> {
    let mut options = Options {
        only: Vec::new(),
        rounds: ROUNDS,
        quick: false,
        json: false,
        list: false,
        help: false,
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("`{argument}` wants a value after it"));
        match argument.as_str() {
            "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
            "--rounds" => options.rounds = rounds(&value()?)?,
            "--quick" => options.quick = true,
            "--json" => options.json = true,
            "--list" => options.list = true,
            "--help" | "-h" => options.help = true,
            other => {
                let known = "--only, --rounds, --quick, --json, --list, --help";
                return Err(format!("no flag `{other}`; there are {known}"));
            }
        }
    }
    for prefix in &options.only {
        if prefix.is_empty() || !names.iter().any(|name| name.starts_with(prefix.as_str())) {
            return Err(format!("no row starts with `{prefix}`; there are {}", names.join(", ")));
        }
    }
    Ok(options)
}

fn rounds(value: &str) -> Result<usize, String> {
    let rounds = value.parse().ok().filter(|rounds| *rounds >= ROUNDS_MIN);
    rounds.ok_or(format!("`--rounds` wants a number of at least {ROUNDS_MIN}, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["ingress.one", "wire.encode"];

    fn parsed(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(str::to_owned), NAMES)
    }

    #[test]
    fn prefixes_choose_rows() {
        let options = parsed("--only wire,ingress.one --rounds 9 --json").expect("a good call");
        assert!(options.wants("wire.encode") && options.wants("ingress.one"));
        assert!(!options.wants("ingress.two"));
        assert_eq!((options.rounds, options.json, options.quick), (9, true, false));
        assert!(parsed("").expect("a good call").wants("anything"));
    }

    #[test]
    fn a_prefix_of_no_row_is_refused_with_the_names() {
        let complaint = parsed("--only wire,engine").expect_err("there is no engine row");
        assert_eq!(complaint, "no row starts with `engine`; there are ingress.one, wire.encode");
    }

    #[test]
    fn bad_flags_are_refused_in_one_line() {
        for (line, part) in [
            ("--fast", "no flag `--fast`"),
            ("--rounds", "wants a value"),
            ("--rounds 4", "at least 5, not `4`"),
            ("--rounds many", "not `many`"),
            ("--only ,", "no row starts with ``"),
        ] {
            let complaint = parsed(line).expect_err(line);
            assert!(complaint.contains(part) && !complaint.contains('\n'), "{complaint}");
        }
    }
}
