//! The verb `ping`: whether a node answers, and how fast.
use std::process::ExitCode;
/// x
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Ping {
    node: String,
}
impl Ping {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        println!("{}", self.node);
        Ok(ExitCode::FAILURE)
    }
}
