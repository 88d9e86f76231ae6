//! Components that are made with settings.
//!
//! Law: settings are part of the sealed program; a component is made of them when the program is
//! installed, or the Node is not made.

use serde::{Serialize, de::DeserializeOwned};

use super::{AnyComponent, Component, registry::ComponentType};

/// A component that is made with settings.
///
/// ```
/// use samsara_proto::PeerId;
/// use samsara_runtime::{
///     compiler::Compiler, component::{Component, Configured, Ops}, config::NodeConfig,
///     graph::Graph, node::install, time::Nanos,
/// };
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Scale {
///     by: f64,
/// }
///
/// impl Component for Scale {
///     const TYPE_NAME: &'static str = "demo.scale@1";
///
///     fn ops(ops: &mut Ops<Self>) {
///         ops.on("scale", |scale: &mut Self, n: f64| scale.by * n);
///     }
/// }
///
/// impl Configured for Scale {
///     type Config = f64;
///
///     fn construct(by: f64) -> Result<Self, String> {
///         if by.is_finite() { Ok(Self { by }) } else { Err(format!("cannot scale by {by}")) }
///     }
/// }
///
/// let g = Graph::new("Double");
/// g.output("twice", g.slot("scale").op("scale", [g.input::<f64>("n")]));
/// let program = Compiler::new().bind_with::<Scale>("scale", &2.0).compile(g.build()?)?;
/// let mut node = install(PeerId::from(1), [], &program, &["Double"], NodeConfig::default())?;
/// node.invoke("Double", [("n", 3.5)])?;
/// assert_eq!(node.run_until_idle(Nanos::ZERO).output("twice"), Some(7.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Configured: Component {
    /// Its settings. They are written as JSON.
    type Config: Serialize + DeserializeOwned;

    /// The component of these settings, or what is wrong with them.
    fn construct(config: Self::Config) -> Result<Self, String>;
}

/// Why there is no component for a slot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstructError {
    /// The type is made with settings, and there are none.
    #[error("slot {slot:?}: {type_name} is made with a config, and none is bound")]
    MissingConfig {
        /// The slot.
        slot: String,
        /// The type.
        type_name: &'static str,
    },
    /// The settings are not those of the type.
    #[error("slot {slot:?}: the config is none of {type_name}: {reason}")]
    ConfigMismatch {
        /// The slot.
        slot: String,
        /// The type.
        type_name: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// The type made nothing of the settings.
    #[error("slot {slot:?}: {type_name} cannot be made: {reason}")]
    ConstructionFailed {
        /// The slot.
        slot: String,
        /// The type.
        type_name: &'static str,
        /// What the type says.
        reason: String,
    },
}

/// How components of a type are made; a type may know both ways.
#[derive(Clone, Copy, Default)]
pub(super) struct Constructors {
    pub(super) plain: Option<fn() -> Box<dyn AnyComponent>>,
    pub(super) configured: Option<Configure>,
}

type Configure = fn(&str) -> Result<Box<dyn AnyComponent>, Failure>;

/// Why settings make no component.
pub(super) enum Failure {
    Mismatch(String),
    Refused(String),
}

impl Constructors {
    pub(super) fn plain<C: Component + Default>() -> Self {
        Self { plain: Some(|| Box::new(C::default())), configured: None }
    }

    pub(super) fn configured<C: Configured>() -> Self {
        let configure: Configure = |text| {
            let config = serde_json::from_str(text);
            let config = config.map_err(|error| Failure::Mismatch(error.to_string()))?;
            Ok(Box::new(C::construct(config).map_err(Failure::Refused)?))
        };
        Self { plain: None, configured: Some(configure) }
    }

    /// Takes over a way that was not known.
    pub(super) fn add(&mut self, other: Self) {
        self.plain = self.plain.or(other.plain);
        self.configured = self.configured.or(other.configured);
    }
}

impl ComponentType {
    /// The component for a slot, of the settings that are bound with it.
    pub(crate) fn construct(
        &self,
        slot: &str,
        config: Option<&str>,
    ) -> Result<Box<dyn AnyComponent>, ConstructError> {
        let (slot, type_name) = (slot.to_owned(), self.type_name());
        let Constructors { plain, configured } = self.constructors;
        match (config, plain, configured) {
            (None, Some(plain), _) => Ok(plain()),
            (None, None, _) => Err(ConstructError::MissingConfig { slot, type_name }),
            (Some(config), _, Some(configured)) => {
                configured(config).map_err(|failure| match failure {
                    Failure::Mismatch(reason) => {
                        ConstructError::ConfigMismatch { slot, type_name, reason }
                    }
                    Failure::Refused(reason) => {
                        ConstructError::ConstructionFailed { slot, type_name, reason }
                    }
                })
            }
            (Some(_), _, None) => {
                let reason = "it takes none".to_owned();
                Err(ConstructError::ConfigMismatch { slot, type_name, reason })
            }
        }
    }
}
