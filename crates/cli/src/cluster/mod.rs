//! The verb `cluster`: the main job.

mod home;
mod report;
mod stage;
mod story;
mod terminal;
mod view;
mod world;
use std::process::ExitCode;
pub(crate) use story::duration_text;
/// x
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Cluster {}
impl Cluster {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        Ok(ExitCode::FAILURE)
    }
}
/// x
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ClusterMember {
    who: String,
}
impl ClusterMember {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        println!("{}", self.who);
        Ok(ExitCode::FAILURE)
    }
}
