//! A web service with a durable Node for each of its users. It is stopped and started again in
//! between, and every user goes on where it was: `--features web`.

use std::{env, fs, net::SocketAddr, path::Path};

use axum::{
    Router,
    extract::{Path as Words, State},
    http::StatusCode,
    routing::{get, post},
};
use samsara::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const USERS: [&str; 3] = ["ada", "grace", "mary"];

#[derive(Default, Serialize, Deserialize)]
struct Diary {
    lines: Vec<String>,
}

impl Component for Diary {
    const TYPE_NAME: &'static str = "demo.diary@1";

    fn ops(ops: &mut Ops<Self>) {
        ops.on("write", |diary: &mut Self, line: String| {
            diary.lines.push(line);
            diary.lines.len() as u64
        });
        ops.on("read", |diary: &mut Self, _: u64| diary.lines.join("\n"));
    }
}

/// What all requests share.
#[derive(Clone)]
struct Service {
    system: System,
    program: Program,
}

type Answer = Result<String, (StatusCode, String)>;

impl Service {
    async fn open(data: &Path) -> Result<Self> {
        let system = System::builder().store(Disk::open(data)?).start().await?;
        let g = Graph::new("Diary");
        g.output("count", g.slot("diary").op("write", [g.input::<String>("line")]));
        g.output("lines", g.slot("diary").op("read", [g.input::<u64>("from")]));
        let program = Compiler::new().bind::<Diary>("diary").compile(g.build()?)?;
        Ok(Self { system, program })
    }

    /// The Node of a user: it is there, or it was once and comes back, or it is new.
    async fn user(&self, name: &str) -> Result<NodeRef, SpawnError> {
        if let Some(node) = self.system.node(name) {
            return Ok(node);
        }
        match self.system.spawn(NodeSpec::new(name, self.program.clone())).await {
            // Another request was faster.
            Err(SpawnError::Taken { name }) => {
                self.system.node(&name).ok_or(SpawnError::Taken { name })
            }
            other => other,
        }
    }

    async fn ask(&self, user: &str, input: &str, value: Value) -> Result<Reply> {
        Ok(self.user(user).await?.ask("Diary", [(input, value)]).await?)
    }

    async fn serve(self) -> Result<(SocketAddr, JoinHandle<std::io::Result<()>>)> {
        let router = Router::new()
            .route("/{user}", get(read))
            .route("/{user}", post(write))
            .with_state(self);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok((address, tokio::spawn(async move { axum::serve(listener, router).await })))
    }
}

/// Whoever reads this is told only what is on the disk.
async fn write(State(service): State<Service>, Words(user): Words<String>, line: String) -> Answer {
    let reply = service.ask(&user, "line", line.into()).await.map_err(refused)?;
    Ok(reply.get::<u64>("count").map_err(refused)?.to_string())
}

async fn read(State(service): State<Service>, Words(user): Words<String>) -> Answer {
    let reply = service.ask(&user, "from", Value::U64(0)).await.map_err(refused)?;
    reply.get("lines").map_err(refused)
}

fn refused(error: impl ToString) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

/// A client in a few lines: one request a connection, and the body of the answer.
async fn request(to: SocketAddr, method: &str, user: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    let length = body.len();
    let head = format!("{method} /{user} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    stream.write_all(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(format!("no good answer: {answer}").into()),
    }
}

async fn run(data: &Path) -> Result<()> {
    for day in 1..=3_u64 {
        let service = Service::open(data).await?;
        let (address, server) = service.clone().serve().await?;
        let mut writing = Vec::new();
        for user in USERS {
            let line = format!("day {day} of {user}");
            writing.push(tokio::spawn(async move { request(address, "POST", user, &line).await }));
        }
        for written in writing {
            assert_eq!(written.await??, day.to_string(), "a line a day");
        }
        for user in USERS {
            let lines: Vec<_> = (1..=day).map(|day| format!("day {day} of {user}")).collect();
            assert_eq!(request(address, "GET", user, "").await?, lines.join("\n"));
        }
        println!("day {day}: {} users, each with {day} lines", USERS.len());
        server.abort();
        service.system.stop().await?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let data = env::temp_dir().join(format!("samsara-web-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&data))?;
    fs::remove_dir_all(&data)?;
    Ok(())
}
