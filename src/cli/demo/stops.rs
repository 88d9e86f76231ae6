//! A durable System whose process loses it in mid-work, and has another one on the same store.
//!
//! Law: nobody says goodbye. What was acknowledged is there again; what was under way may be.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Finding,
    tally::{FAULT, add, program},
};
use crate::{
    actors::{StartError, StoreError},
    cli::Failure,
    prelude::*,
};

const STARTS: u64 = 5;
const CALLERS: u64 = 32;
/// How long each System is let work.
const WORK: Duration = Duration::from_millis(300);

pub(super) async fn show() -> Result<Vec<Finding>, Failure> {
    let data = std::env::temp_dir().join(format!("samsara-demo-{}", std::process::id()));
    println!(
        "\nA durable Node, {CALLERS} callers; {STARTS} times its System is dropped in mid-work"
    );
    println!("and started again on the same store:\n");
    let shown = work_and_drop(&data).await;
    fs::remove_dir_all(&data)?;
    shown
}

async fn work_and_drop(data: &Path) -> Result<Vec<Finding>, Failure> {
    let (program, kept) = (program()?, Arc::new(AtomicU64::new(0)));
    let (mut life, mut risen) = (Incarnation::new(0), 0);
    for _ in 0..STARTS {
        let (system, node) = open(data, &program).await?;
        risen += u64::from(node.incarnation() > life);
        life = node.incarnation();
        let callers: Vec<_> =
            (0..CALLERS).map(|_| tokio::spawn(call(node.clone(), Arc::clone(&kept)))).collect();
        tokio::time::sleep(WORK).await;
        drop((system, node));
        for caller in callers {
            // Its last call was refused, or nobody knows what came of it.
            caller.await?;
        }
        println!(
            "  life {life}: dropped after {} acknowledged calls",
            kept.load(Ordering::Acquire)
        );
    }
    let (system, node) = open(data, &program).await?;
    let counted = add(&node, FAULT).await?;
    println!("  life {}: {counted} calls counted", node.incarnation());
    system.stop().await?;
    let kept = kept.load(Ordering::Acquire);
    let counted = Finding {
        what: "durable calls that were counted",
        found: counted,
        wanted: kept..=kept + STARTS * CALLERS,
    };
    Ok(vec![
        Finding::exactly("starts with a new, higher life", risen, STARTS),
        Finding { what: "durable calls that were acknowledged", found: kept, wanted: 1..=kept },
        counted,
    ])
}

/// A System on this store, once the one before has let it go.
async fn open(data: &Path, program: &Program) -> Result<(System, NodeRef), Failure> {
    let system = loop {
        match System::builder().store(Disk::open(data)?).start().await {
            Ok(system) => break system,
            Err(StartError::Store(StoreError::Locked { .. })) => {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Err(error) => return Err(error.into()),
        }
    };
    let node = system.spawn(NodeSpec::new("tally", program.clone())).await?;
    Ok((system, node))
}

async fn call(node: NodeRef, kept: Arc<AtomicU64>) {
    while node.invoke("Tally", [("n", 1_u64)]).await.is_ok() {
        kept.fetch_add(1, Ordering::AcqRel);
    }
}
