//! The crates of the tree: what each is and whom it may import.
//!
//! Law: this table is the only place that knows; a crate that is not in it fails the tests.

/// What a crate is to its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Published: all laws hold.
    Product,
    /// Suites, benches, chores: never imported by a product's shipped code.
    Tool,
}

/// One row of the table.
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// Its directory from the root; empty for the facade.
    pub(crate) directory: &'static str,
    pub(crate) role: Role,
    /// The crates of this tree that it may import. Tools import what they like.
    pub(crate) imports: &'static [&'static str],
    /// Those that only its own tests may import besides.
    pub(crate) in_tests: &'static [&'static str],
    /// Crates from outside that would break its law, with the reason beside them.
    pub(crate) never: &'static [&'static str],
}

/// A clock, a socket or a thread of another's: what decides has none of them.
const NO_IO: &[&str] =
    &["async-std", "futures", "getrandom", "libc", "mio", "rand", "smol", "socket2", "tokio"];
/// Hosting belongs to `actors`, so that an engine of bytes can be used without actors.
const NO_ACTORS: &[&str] = &["ractor"];

const PROTO: &str = "samsara-proto";
const INGRESS: &str = "samsara-ingress";
const RUNTIME: &str = "samsara-runtime";
const COMPONENTS: &str = "samsara-components";
const TRANSPORT: &str = "samsara-transport";
const ACTORS: &str = "samsara-actors";
const SIM: &str = "samsara-sim";

/// `proto <- runtime <- components`, `proto <- transport`, `runtime + transport <- actors`,
/// `runtime <- sim`, all of them `<- samsara`; the mailbox stands alone under `runtime`, and holds what
/// waits for a link too.
pub(crate) const CRATES: &[Crate] = &[
    product(PROTO, "proto", &[], NO_IO),
    product(INGRESS, "runtime/ingress", &[], NO_IO),
    product(RUNTIME, "runtime", &[PROTO, INGRESS], NO_IO),
    product(COMPONENTS, "components", &[PROTO, INGRESS, RUNTIME], NO_ACTORS),
    product(TRANSPORT, "transport", &[PROTO, INGRESS], NO_ACTORS),
    product(ACTORS, "actors", &[PROTO, INGRESS, RUNTIME, TRANSPORT], &[]),
    product(SIM, "sim", &[PROTO, INGRESS, RUNTIME], NO_IO),
    product("samsara", "", &[PROTO, INGRESS, RUNTIME, COMPONENTS, TRANSPORT, ACTORS, SIM], &[]),
    tool("samsara-tests", "tests"),
    tool("samsara-bench", "benches"),
    tool("samsara-examples", "examples"),
    tool("samsara-fuzz", "fuzz"),
    tool("xtask", "xtask"),
];

const fn product(
    name: &'static str,
    directory: &'static str,
    imports: &'static [&'static str],
    never: &'static [&'static str],
) -> Crate {
    Crate { name, directory, role: Role::Product, imports, in_tests: &[], never }
}

const fn tool(name: &'static str, directory: &'static str) -> Crate {
    Crate { name, directory, role: Role::Tool, imports: &[], in_tests: &[], never: &[] }
}

impl Crate {
    pub(crate) fn manifest(&self) -> String {
        self.path("Cargo.toml")
    }

    /// A path inside the crate, from the root of the tree.
    pub(crate) fn path(&self, inside: &str) -> String {
        match self.directory {
            "" => inside.to_owned(),
            directory => format!("{directory}/{inside}"),
        }
    }
}

/// Whether a file is shipped code of a product.
pub(crate) fn is_product(path: &str) -> bool {
    let products = CRATES.iter().filter(|row| row.role == Role::Product);
    products.into_iter().any(|row| path.starts_with(&row.path("src/")))
}

mod tests {
    use super::*;

    #[test]
    fn product_code_is_what_lies_under_src_of_a_product() {
        for shipped in ["src/main.rs", "proto/src/a.rs", "runtime/ingress/src/a/b.rs"] {
            assert!(is_product(shipped), "{shipped}");
        }
        for other in
            ["tests/src/lib.rs", "benches/src/main.rs", "proto/tests/a.rs", "xtask/src/main.rs"]
        {
            assert!(!is_product(other), "{other}");
        }
    }
}
