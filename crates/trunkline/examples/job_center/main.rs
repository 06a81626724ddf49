//! A job queue that lives on one node of a ladder, moves when its node is lost, and takes its queue along when a better node is
//! back. Run it: `cargo run -p trunkline --example job_center`
//!
//! Nodes of OTP with the Erlang form of the application can stand on the same ladder.

mod jobs;

use std::time::Duration;

use jobs::{Ask, JobCenter, JobServer};
use trunkline::application::{self, Kind};
use trunkline::dist_ac::Ladder;
use trunkline::prelude::*;

fn builder(name: &str) -> trunkline::Builder {
    let ladder = Ladder::first(["jc1@localhost"]).then(["jc2@localhost"]).wait(Duration::from_millis(300));
    trunkline::node(name).cookie("s3cret").distributed("job_center", ladder)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let first = builder("jc1@localhost").application(JobCenter, Kind::Permanent).start().await?;
    // The second one waits for the first, so that they know each other before anything starts.
    let within = Duration::from_secs(5);
    let second = builder("jc2@localhost").sync_nodes(["jc1@localhost"], within);
    let second = second.application(JobCenter, Kind::Permanent).start().await?;

    let jobs = Server::<JobServer>::at(trunkline::ServerRef::global(Atom::new("job_center")));
    let number = jobs.call(&second, |reply| Ask::AddJob(Term::binary("dig"), reply)).await?;
    println!("job {number} was given to {}", where_it_runs(&second));

    first.shutdown().await;
    while application::which_applications(&second).iter().all(|(name, ..)| *name != Atom::new("job_center")) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("jc1 is gone, and the jobs are at {}", where_it_runs(&second));
    let number = jobs.call(&second, |reply| Ask::AddJob(Term::binary("fill"), reply)).await?;
    println!("job {number} was given");

    let first = builder("jc1@localhost").sync_nodes(["jc2@localhost"], within);
    let first = first.application(JobCenter, Kind::Permanent).start().await?;
    let job = jobs.call(&first, Ask::WorkWanted).await?;
    println!("jc1 is back, runs it as {:?}, and has job {job:?}", jobs.call(&first, Ask::StartType).await?);
    first.shutdown().await;
    second.shutdown().await;
    Ok(())
}

fn where_it_runs(node: &Node) -> String {
    let pid = global::whereis(node, Atom::new("job_center"));
    pid.map_or("nowhere".to_owned(), |pid| pid.node.name().to_string())
}
