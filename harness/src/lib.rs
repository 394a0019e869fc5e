//! The command line: runs, replays, checks and lists.
//!
//! The only crate that reads arguments, environment, wall clock or files, that prints, and that puts
//! roles into worlds. It deliberately holds no protocol, no judgment and no text of a report.
//!
//! A library beside the binary so that tests can call what the commands call.

pub mod ahead;
pub mod blame;
pub mod catch;
pub mod check;
pub mod cli;
pub mod compile;
pub mod difference;
pub mod exit;
pub mod explain;
pub mod filter;
pub mod folder;
pub mod foreign;
pub mod gate;
pub mod grid;
pub mod help;
pub mod host;
pub mod identity;
pub mod itf;
pub mod job;
pub mod judgement;
pub mod list;
pub mod log;
pub mod manual;
pub mod nearest;
pub mod negative;
pub mod planted;
pub mod pool;
pub mod probe;
pub mod progress;
pub mod recheck;
pub mod regression;
pub mod replay;
pub mod report;
pub mod roles;
pub mod run;
pub mod search;
pub mod selection;
pub mod shim;
pub mod shrink;
pub mod sometimes;
pub mod subject;
pub mod sweep;
pub mod tell;
pub mod terminal;
pub mod trace;
pub mod visited;
pub mod watch;
pub mod worker;

use cli::{Cli, Command};
use exit::{Exit, Failure};

/// Does what the command line says.
pub fn dispatch(cli: Cli) -> Exit {
    let done = match cli.command {
        Command::Run(args) if args.is_foreign() => {
            args.of_rotator().and_then(|run| foreign::sweep::run(&run))
        }
        Command::Run(args) => block_on(run::run(args.into())),
        Command::Replay(args) => args.of_rotator().and_then(|of_rotator| match of_rotator {
            Some(again) => foreign::again::again(again),
            None => block_on(replay::replay(args.into())),
        }),
        Command::Shrink(args) => args.of_rotator().and_then(|of_rotator| match of_rotator {
            Some(again) => foreign::again::again(again),
            None => block_on(shrink::shrink(args.into())),
        }),
        Command::Explain(args) => args.of_rotator().and_then(|of_rotator| match of_rotator {
            Some(again) => foreign::again::again(again),
            None => block_on(explain::explain(args.into())),
        }),
        Command::Trace { action } => action.of_rotator().and_then(|of_rotator| match of_rotator {
            Some(again) => foreign::again::again(again),
            None => block_on(trace::trace(action.into())),
        }),
        Command::Grid(args) if args.is_foreign() => {
            args.of_rotator().and_then(|grid| foreign::matrix::grid(&grid))
        }
        Command::Grid(args) => block_on(grid::grid(args.into())),
        Command::Check(args) => block_on(check::check(args)),
        Command::Gate(args) => gate::gate(&args.into()),
        Command::Report { reports, format } => report::report(&reports, format),
        Command::List { subject } => {
            list::list(subject);
            Ok(Exit::PASS)
        }
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { command } => manual::man(command.as_deref()),
        Command::Worker => Ok(worker::serve()),
        Command::RoleHost { check: None } => host::serve::serve(),
        Command::RoleHost { check: Some(command) } => foreign::conformance::check(&command, CHECK_LIMIT),
    };
    let exit = done.unwrap_or_else(|failure| {
        terminal::note(&format!("error: {failure}"));
        failure.exit()
    });
    match terminal::lost() {
        Some(why) => {
            terminal::note(&format!("error: failed to write to standard output: {why}"));
            exit.and(Exit::Unwritable)
        }
        None => exit,
    }
}

/// Longest that a program under check may be silent.
const CHECK_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Never inside a run: runs are in workers, and workers have no runtime.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Internal(format!("failed to start a runtime: {error}")))?;
    runtime.block_on(future)
}
