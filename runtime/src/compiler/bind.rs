//! What a compiler is told about slots, types and backends.
//!
//! Law: telling never fails; what is wrong is told with all other mistakes when a draft is compiled.

use super::Compiler;
use crate::{
    component::{Component, ComponentType, Configured, RegistrationError, Registry},
    module::{Problem, Step},
    role::{Role, backend::Backend},
    value::NativeCodec,
};

/// A slot, the type bound to it, and its settings as JSON.
pub(super) struct Binding {
    pub(super) slot: String,
    pub(super) type_name: &'static str,
    pub(super) config: Option<String>,
}

macro_rules! roles {
    ($($role:ident, $bind:ident;)*) => {
        impl Compiler {
            $(
                #[doc = concat!("[`bind`](Self::bind), of a type that claims [`Role::", stringify!($role), "`].")]
                #[must_use]
                pub fn $bind<C: Component + Default>(self, slot: &str) -> Self {
                    self.bind::<C>(slot).as_role(slot, Role::$role)
                }
            )*
        }
    };
}

roles! {
    Backend, bind_backend;
    Model, bind_model;
    Index, bind_index;
    Aggregator, bind_aggregator;
    Codec, bind_codec;
    DataSource, bind_data_source;
    PeerSelector, bind_peer_selector;
    Protocol, bind_protocol;
}

impl Compiler {
    /// A compiler that knows all that this registry does, with nothing bound.
    pub fn over(registry: Registry) -> Self {
        Self { registry, ..Self::default() }
    }

    /// Fills a slot with components of the type `C`.
    #[must_use]
    pub fn bind<C: Component + Default>(self, slot: &str) -> Self {
        self.bind_kind(slot, C::TYPE_NAME, ComponentType::of::<C>(), None)
    }

    /// Fills a slot with components of the type `C` that are made with these settings, which become
    /// part of the program.
    #[must_use]
    pub fn bind_with<C: Configured>(mut self, slot: &str, config: &C::Config) -> Self {
        let config = serde_json::to_string(config).map_err(|error| {
            let (type_name, reason) = (C::TYPE_NAME.to_owned(), error.to_string());
            let problem = Problem::BadConfig { type_name, reason };
            self.mistakes.report(Step::Record, "", slot, problem);
        });
        self.bind_kind(slot, C::TYPE_NAME, ComponentType::configured::<C>(), config.ok())
    }

    /// Demands that the type in a slot claims a role.
    #[must_use]
    pub fn as_role(mut self, slot: &str, role: Role) -> Self {
        self.roles.push((slot.to_owned(), role));
        self
    }

    /// Makes a native type known, so that constants and attributes may be of it.
    #[must_use]
    pub fn native<T: NativeCodec>(mut self) -> Self {
        if let Err(error) = self.registry.register_native::<T>() {
            let problem = Problem::BadRegistration { reason: error.to_string() };
            self.mistakes.report(Step::Record, "", "", problem);
        }
        self
    }

    /// Offers tensor ops to this backend, after those that they are offered to already.
    #[must_use]
    pub fn backend(mut self, backend: impl Backend) -> Self {
        let name = backend.name();
        if let Err(error) = self.registry.register_backend(backend) {
            let problem = Problem::BadRegistration { reason: error.to_string() };
            self.mistakes.report(Step::Record, "", name, problem);
        }
        self.backend_named(name)
    }

    /// The same, for a backend of the registry that the compiler was made [`over`](Self::over).
    #[must_use]
    pub fn backend_named(mut self, name: &str) -> Self {
        self.backends.push(name.to_owned());
        self
    }

    fn bind_kind(
        mut self,
        slot: &str,
        type_name: &'static str,
        kind: Result<ComponentType, RegistrationError>,
        config: Option<String>,
    ) -> Self {
        if let Err(error) = kind.and_then(|kind| self.registry.insert(kind)) {
            let problem = Problem::BadComponent { reason: error.to_string() };
            self.mistakes.report(Step::Record, "", slot, problem);
        }
        self.bindings.push(Binding { slot: slot.to_owned(), type_name, config });
        self
    }
}
