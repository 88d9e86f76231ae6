//! Calls of the ops that a slot has by its role.
//!
//! Law: each method records the row of [`Role::ops`] that bears its name, and the program says
//! which roles it takes a slot for; the compiler asks its component's type whether it claims them.
//!
//! ```
//! use samsara_runtime::graph::Graph;
//!
//! let g = Graph::new("Round");
//! let batch = g.input::<Vec<f64>>("batch");
//! let update = g.model("learner").train(batch);
//! let all = g.input::<Vec<f64>>("all");
//! g.output("mean", g.aggregator("mean").aggregate(all));
//! // What can be said of any call is said of the slot.
//! g.output("update", g.slot("codec").named("pack").as_codec().encode(update));
//! assert!(g.build().is_ok());
//! ```

use super::{Graph, Slot, Wire};
use crate::role::Role;

macro_rules! roles {
    ($(
        $role:ident, $facade:ident, $on_graph:ident, $on_slot:ident {
            $($(#[$doc:meta])* $op:ident($($input:ident),*);)*
        }
    )*) => {
        impl Graph {
            $(
                #[doc = concat!("The component in this slot, as [`Role::", stringify!($role), "`].")]
                pub fn $on_graph(&self, slot: &str) -> $facade<'_> {
                    self.slot(slot).$on_slot()
                }
            )*
        }

        impl<'g> Slot<'g> {
            $(
                #[doc = concat!("Takes the slot for [`Role::", stringify!($role), "`].")]
                pub fn $on_slot(self) -> $facade<'g> {
                    self.wants(Role::$role);
                    $facade(self)
                }
            )*
        }

        $(
            #[doc = concat!("A slot taken for [`Role::", stringify!($role), "`].")]
            #[derive(Clone, Debug)]
            #[must_use = "a slot does nothing until one of its ops is called"]
            pub struct $facade<'g>(Slot<'g>);

            impl<'g> $facade<'g> {
                $(
                    $(#[$doc])*
                    pub fn $op(self, $($input: Wire<'g>),*) -> Wire<'g> {
                        self.0.op(stringify!($op), [$($input),*])
                    }
                )*
            }
        )*

        /// Every method, for the test that holds them against the tables.
        #[cfg(test)]
        pub(super) const METHODS: &[(Role, &str, usize)] =
            &[$($((Role::$role, stringify!($op), [$(stringify!($input)),*].len()),)*)*];
    };
}

roles! {
    Backend, BackendSlot, backend, as_backend {
        /// Runs tensors and gives tensors.
        run(tensors);
    }
    Model, ModelSlot, model, as_model {
        /// What the model makes of an input.
        predict(input);
        /// Learns from a batch, and gives what it has to say of it.
        train(batch);
        /// The weights, when it is triggered.
        weights(trigger);
        /// Replaces the weights, and triggers when that is done.
        load_weights(weights);
    }
    Index, IndexSlot, index, as_index {
        /// Adds an item under a key, and triggers when that is done.
        insert(key, item);
        /// The items nearest to a query, at most so many.
        search(query, count);
        /// Whether there was an item under the key, which is gone now.
        remove(key);
        /// How many items there are, when it is triggered.
        len(trigger);
    }
    Aggregator, AggregatorSlot, aggregator, as_aggregator {
        /// One value of a list.
        aggregate(list);
        /// One value of a list, each item with its weight.
        aggregate_weighted(list, weights);
    }
    Codec, CodecSlot, codec, as_codec {
        /// The bytes of a value.
        encode(value);
        /// The value of these bytes.
        decode(bytes);
    }
    DataSource, DataSourceSlot, data_source, as_data_source {
        /// The next item, when it is triggered.
        next(trigger);
        /// How many items there are, when it is triggered.
        len(trigger);
        /// Begins again with the first item, and triggers when that is done.
        reset(trigger);
    }
    PeerSelector, PeerSelectorSlot, peer_selector, as_peer_selector {
        /// So many of these peers.
        select(peers, count);
    }
    Protocol, ProtocolSlot, protocol, as_protocol {
        /// Begins, and gives what is to be sent first.
        start(input);
        /// Takes a message of a peer, and gives the answer.
        on_message(peer, message);
        /// Ends, and triggers when that is done.
        stop(trigger);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_has_a_method_that_records_it() {
        let rows: Vec<_> = Role::ALL
            .into_iter()
            .flat_map(|role| role.ops().into_iter().map(move |op| (role, op)))
            .inspect(|(role, op)| assert_eq!(op.outputs.len(), 1, "{role} {op}"))
            .map(|(role, op)| (role, op.name, op.inputs.len()))
            .collect();
        assert_eq!(METHODS, rows);
    }
}
