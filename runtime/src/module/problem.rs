//! The mistakes that a program can have, in the order of the steps that find them.
//!
//! Law: each says what was wanted and what is there; where it is, the
//! [`Diagnostic`](super::Diagnostic) around it says.

use super::PlaceProblem;
use crate::{role::Role, schema::PortType, value::TypeMismatch};

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A wire of one graph was used in another.
    #[error("wanted a wire of this graph, got one of another")]
    ForeignWire,
    /// A wire that stands for nothing was used where a value is needed.
    #[error("wanted a value, got an absent wire")]
    AbsentWire,
    /// A value cannot be kept as a constant or attribute.
    #[error("{reason}")]
    BadValue {
        /// Why.
        reason: String,
    },
    /// A bootstrap was recorded twice, or inside a bootstrap.
    #[error("wanted one bootstrap, recorded beside the body")]
    SecondBootstrap,
    /// Several modules were called as if they were one.
    #[error("wanted a draft of one target to call, got {got}")]
    NotOneTarget {
        /// Targets of the draft.
        got: usize,
    },
    /// Two different modules bear one name.
    #[error("two different modules bear this name")]
    TwoModules,
    /// A slot is bound to two types, or to one with two settings.
    #[error("the slot is bound to {first} and to {second} by {}", .contributors.join(" and "))]
    BoundTwice {
        /// What was bound first.
        first: String,
        /// What was bound second.
        second: String,
        /// Who binds it so, in this order.
        contributors: Vec<String>,
    },
    /// The settings of a component cannot be written down.
    #[error("the config of {type_name} cannot be written: {reason}")]
    BadConfig {
        /// The type.
        type_name: String,
        /// Why.
        reason: String,
    },
    /// A backend or native type cannot be registered.
    #[error("{reason}")]
    BadRegistration {
        /// Why.
        reason: String,
    },
    /// Tensor ops are meant by two releases of one domain.
    #[error("tensor ops of {domain:?} are meant by release {first} and by release {second}")]
    TwoOpsets {
        /// The domain, empty for the standard one.
        domain: String,
        /// The release that was there first.
        first: u64,
        /// The release that came second.
        second: u64,
    },
    /// A component type declares itself badly.
    #[error("{reason}")]
    BadComponent {
        /// Why it cannot be registered.
        reason: String,
    },
    /// A program has nothing to run.
    #[error("the program has no target")]
    NoTarget,

    /// A name is none.
    #[error("the {of} name {name:?}: wanted {wanted}")]
    Name {
        /// What is to be named.
        of: &'static str,
        /// The name.
        name: String,
        /// What a name must be.
        wanted: &'static str,
    },
    /// Two things bear one name.
    #[error("{count} {of}s bear this name")]
    Duplicate {
        /// What they are.
        of: &'static str,
        /// How many they are.
        count: usize,
    },
    /// A module stands under another name than its own.
    #[error("the module is filed under {key:?}")]
    Misfiled {
        /// The name it stands under.
        key: String,
    },
    /// Nothing comes of running the module.
    #[error("the module has no output and no op with an effect")]
    NoOutcome,
    /// A value does not exist.
    #[error("value {id} does not exist, the body has {count}")]
    UnknownValue {
        /// Its number.
        id: u32,
        /// Values of the body.
        count: usize,
    },
    /// A value has more than one source.
    #[error("the value is written {times} times")]
    WrittenTwice {
        /// How often.
        times: usize,
    },
    /// A value is read and has no source.
    #[error("the value is read and nothing writes it")]
    NeverWritten,
    /// A value leaves by two outputs.
    #[error("the value leaves by {first:?} already; a pass-through gives it another name")]
    LeavesTwice {
        /// The output that it leaves by.
        first: String,
    },
    /// An input has no type.
    #[error("the input declares no type")]
    Untyped,
    /// A type cannot be written down.
    #[error("the type {ty} has {what}")]
    BadType {
        /// The type.
        ty: PortType,
        /// What cannot be.
        what: &'static str,
    },
    /// An op neither takes nor gives anything.
    #[error("the op has no inputs and no outputs")]
    EmptyOp,
    /// An op waits for more inputs than it is given, or for none.
    #[error("waits for {wanted} of {given} given inputs")]
    BadCount {
        /// Inputs it waits for.
        wanted: u16,
        /// Inputs that are given.
        given: usize,
    },
    /// A call has settings of its own.
    #[error("a call waits for all its inputs and has no attributes")]
    SettingsOnCall,
    /// A constant has no value, or more than that.
    #[error("wanted one attribute, the value")]
    NoValue,
    /// A tensor op names a domain of ours or none at all.
    #[error("{domain:?}.{op_type:?} is no op for a backend")]
    BadTensorOp {
        /// The domain.
        domain: String,
        /// The op.
        op_type: String,
    },
    /// Ops wait for each other in a circle.
    #[error("a cycle: {}", .ops.join(" reads "))]
    Cycle {
        /// The ops, the first one again at the end.
        ops: Vec<String>,
    },
    /// A name stands for none of the modules.
    #[error("there is no module {module:?}, there are {available:?}")]
    UnknownModule {
        /// The name.
        module: String,
        /// The modules there are.
        available: Vec<String>,
    },
    /// An export is no input of a target.
    #[error("only an input of a target can be exported")]
    BadExport,

    /// What flows is not what is wanted.
    #[error("{given_by} gives {given}, {wanted_by} takes {wanted}")]
    Mismatch {
        /// The type that comes.
        given: PortType,
        /// Where from.
        given_by: String,
        /// The type that is taken.
        wanted: PortType,
        /// Where to.
        wanted_by: String,
    },
    /// An attribute is not of its type.
    #[error("attribute {name:?}: {source}")]
    AttributeType {
        /// The attribute.
        name: String,
        /// What it is and should be.
        source: TypeMismatch,
    },

    /// A program over several places is wrong.
    #[error(transparent)]
    Place(#[from] PlaceProblem),

    /// A slot has no component.
    #[error("slot {slot:?} is not bound, there are {bound:?}")]
    UnboundSlot {
        /// The slot.
        slot: String,
        /// The slots that are bound.
        bound: Vec<String>,
    },
    /// A component depends on another one that is not there.
    #[error("depends on {wanted} in slot {slot:?}, which is not bound")]
    UnboundDependency {
        /// The slot where it is looked for.
        slot: String,
        /// The type or role that is wanted there.
        wanted: String,
    },
    /// A component depends on another one, and the slot holds something else.
    #[error("depends on {wanted} in slot {slot:?}, which holds {got}")]
    WrongDependency {
        /// The slot where it is looked for.
        slot: String,
        /// The type or role that is wanted there.
        wanted: String,
        /// What is there.
        got: String,
    },
    /// A slot's component type is not in the registry.
    #[error("{type_name} is not registered")]
    Unregistered {
        /// The type.
        type_name: String,
    },
    /// A slot is taken for a role that its component type does not claim.
    #[error("the slot is taken for {role}, which {type_name} does not claim")]
    Unclaimed {
        /// The type.
        type_name: String,
        /// The role.
        role: Role,
    },
    /// A component type claims a role and lacks one of its ops.
    #[error("{type_name} is {role} without the op {op:?}, it has {available:?}")]
    RoleOpMissing {
        /// The type.
        type_name: String,
        /// The role.
        role: Role,
        /// The op.
        op: String,
        /// The ops there are.
        available: Vec<String>,
    },
    /// No backend runs a tensor op.
    #[error("no backend runs {kind}: {}", .reasons.join("; "))]
    Unresolved {
        /// The ONNX op.
        kind: String,
        /// What each backend says to it.
        reasons: Vec<String>,
    },
    /// The program is bound to a backend that is not in the registry.
    #[error("the backend {name} is not registered")]
    UnknownBackend {
        /// Its name.
        name: String,
    },
    /// A component or the engine has no such op.
    #[error("{of} has no op {op:?}, it has {available:?}")]
    UnknownOp {
        /// Who was asked.
        of: String,
        /// The op.
        op: String,
        /// The ops there are.
        available: Vec<String>,
    },
    /// An op has more or fewer inputs or outputs than what it stands for.
    #[error("{got} {what}, wanted {wanted}")]
    Arity {
        /// Inputs or outputs.
        what: &'static str,
        /// How many are wanted, at least.
        wanted: usize,
        /// How many there are.
        got: usize,
    },
    /// A syscall's attributes are not those that it takes.
    #[error("attributes {got:?}, wanted {wanted:?}")]
    Attributes {
        /// The names that are wanted.
        wanted: Vec<String>,
        /// The names there are.
        got: Vec<String>,
    },
    /// A time to wait was set where nothing waits.
    #[error("nothing waits here, so it cannot be within a time")]
    NeverWaits,
    /// A topic begins as only the Node's own events may.
    #[error("the topic {topic:?} begins with {prefix:?}, which is the framework's own")]
    ReservedTopic {
        /// The topic.
        topic: String,
        /// How it begins.
        prefix: &'static str,
    },
    /// No event is of this kind.
    #[error("there are no events {kind:?}, there are {available:?} and any app.topic")]
    UnknownEvent {
        /// The kind.
        kind: String,
        /// The kinds of the Node's own events.
        available: Vec<String>,
    },
    /// A module that has no bootstrap is to be bootstrapped.
    #[error("the module {module:?} has no bootstrap, there are {available:?}")]
    NoBootstrap {
        /// The module.
        module: String,
        /// The modules that have one.
        available: Vec<String>,
    },
    /// A bootstrap that takes inputs is to run without any.
    #[error("the bootstrap of {module:?} takes inputs, which only the host can give")]
    BootstrapTakesInputs {
        /// The module.
        module: String,
    },
    /// A name that must say something is empty.
    #[error("attribute {name:?}: wanted at least one character")]
    EmptyAttribute {
        /// The attribute.
        name: &'static str,
    },
    /// Modules call each other in a circle.
    #[error("recursion: {}", .modules.join(" calls "))]
    Recursion {
        /// The modules, the first one again at the end.
        modules: Vec<String>,
    },
    /// Calls go too deep.
    #[error("calls are nested {depth} deep, {cap} levels are allowed")]
    TooDeep {
        /// Levels there are.
        depth: u32,
        /// Levels allowed.
        cap: u32,
    },

    /// A stage was to run after the last step.
    #[error("a stage cannot follow the seal")]
    StageAfterSeal,
    /// What is sound by itself cannot be made ready to run.
    #[error("{reason}")]
    Unplannable {
        /// Why.
        reason: String,
    },
    /// What was written down does not read back the same.
    #[error("the program cannot be written down: {reason}")]
    Unsealable {
        /// What reading it back says.
        reason: String,
    },
    /// A user's stage found something.
    #[error("{0}")]
    Other(String),
}
