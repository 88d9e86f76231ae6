//! The little of TOML that manifests use: sections, keys and one-line values.
//!
//! Law: a value that goes over several lines is joined to one, so that every entry has one line.

/// One `key = value` of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) section: String,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) line: usize,
}

/// Every entry of a manifest, in its order.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut section = String::new();
    let mut found: Vec<Entry> = Vec::new();
    let mut open = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        if open > 0 {
            let last = found.last_mut().expect("a value was left open by the entry before");
            last.value.push_str(line);
            open = still_open(&last.value);
        } else if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).replace(['"', '\''], "");
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim().trim_matches('"').to_owned(), value.trim().to_owned());
            open = still_open(&value);
            found.push(Entry { section: section.clone(), key, value, line: index + 1 });
        }
    }
    found
}

/// What a dependency entry of a member says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The `cfg` that it is limited to, empty when always built.
    pub(crate) only_under: String,
    pub(crate) from_workspace: bool,
    pub(crate) line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// The dependencies of a member's manifest.
pub(crate) fn dependencies(text: &str) -> Vec<Dependency> {
    entries(text).into_iter().filter_map(|entry| dependency(&entry)).collect()
}

fn dependency(entry: &Entry) -> Option<Dependency> {
    let (only_under, table) = match entry.section.strip_prefix("target.") {
        Some(rest) => rest.rsplit_once('.')?,
        None => ("", entry.section.as_str()),
    };
    let (table, named) = table.split_once('.').map_or((table, None), |(t, name)| (t, Some(name)));
    let kind = match table {
        "dependencies" => Kind::Normal,
        "dev-dependencies" => Kind::Dev,
        "build-dependencies" => Kind::Build,
        _ => return None,
    };
    let (name, asked) = entry.key.split_once('.').unwrap_or((&entry.key, ""));
    let from_workspace =
        asked == "workspace" || entry.value.replace(' ', "").contains("workspace=true");
    Some(Dependency {
        name: named.unwrap_or(name).to_owned(),
        kind,
        only_under: only_under.to_owned(),
        from_workspace: from_workspace || (named.is_some() && name == "workspace"),
        line: entry.line,
    })
}

/// The value of a key, without its quotes.
pub(crate) fn value<'a>(entries: &'a [Entry], section: &str, key: &str) -> Option<&'a str> {
    let entry = entries.iter().find(|entry| entry.section == section && entry.key == key)?;
    Some(entry.value.trim_matches('"'))
}

/// The strings of an array value.
pub(crate) fn strings(value: &str) -> Vec<&str> {
    value.split('"').skip(1).step_by(2).collect()
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

fn still_open(value: &str) -> usize {
    let count = |letters: [char; 2]| value.matches(letters).count();
    count(['[', '{']).saturating_sub(count([']', '}']))
}

mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let text = "[dependencies]\na.workspace = true\nb = { workspace = true, optional = true } # x\n\
                    [target.'cfg(loom)'.dependencies]\nc = \"1\"\n[dev-dependencies.d]\nversion = \"1\"\n\
                    [build-dependencies]\ne = [\n\"x\",\n]\n";
        let seen: Vec<_> = dependencies(text)
            .into_iter()
            .map(|d| (d.name, d.kind, d.only_under, d.from_workspace, d.line))
            .collect();
        let own = |name: &str, kind, cfg: &str, workspace, line| {
            (name.to_owned(), kind, cfg.to_owned(), workspace, line)
        };
        assert_eq!(
            seen,
            [
                own("a", Kind::Normal, "", true, 2),
                own("b", Kind::Normal, "", true, 3),
                own("c", Kind::Normal, "cfg(loom)", false, 5),
                own("d", Kind::Dev, "", false, 7),
                own("e", Kind::Build, "", false, 9),
            ]
        );
    }

    #[test]
    fn an_array_over_lines_is_one_entry() {
        let found = entries("[w]\nmembers = [\n \"a\", # one\n \"b\",\n]\nnext = 1\n");
        assert_eq!(found.len(), 2);
        assert_eq!(strings(&found[0].value), ["a", "b"]);
    }
}
