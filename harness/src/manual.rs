//! What the command line tells shells and `man` of itself.
//!
//! It exists so that completions and pages are written from the same description that parses the
//! arguments, and can't disagree with it. It deliberately installs nothing: both go to standard
//! output, and where they belong is the packager's to know.
//!
//! What is hidden from `--help` is hidden here.

use crate::cli::Cli;
use crate::exit::{Exit, Failure};
use crate::nearest::hint;
use crate::terminal;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

/// Prints the completions of a shell.
pub fn completions(shell: Shell) -> Exit {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut visible(&Cli::command()), "tumbler", &mut out);
    terminal::print(&String::from_utf8_lossy(&out));
    Exit::PASS
}

/// Prints the page of the program, or of one of its commands.
pub fn man(of: Option<&str>) -> Result<Exit, Failure> {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    let page = match of {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).filter(|each| !each.is_hide_set()).cloned();
            found.ok_or_else(|| unknown(&whole, name))?.version(env!("CARGO_PKG_VERSION"))
        }
    };
    let mut out = Vec::new();
    clap_mangen::Man::new(page)
        .manual("Tumbler")
        .render(&mut out)
        .map_err(|error| Failure::Internal(format!("failed to write a page to memory: {error}")))?;
    terminal::print(&String::from_utf8_lossy(&out));
    Ok(Exit::PASS)
}

/// The command without its hidden commands and flags, which the generators would offer.
fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new(command.get_name().to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .version(env!("CARGO_PKG_VERSION"))
        .args(arguments.cloned())
        .subcommands(commands.map(visible))
}

fn unknown(whole: &Command, name: &str) -> Failure {
    let names = whole.get_subcommands().filter(|each| !each.is_hide_set()).map(Command::get_name);
    let hint = hint(name, names, "`tumbler --help` shows them");
    Failure::Usage(format!("unknown command `{name}`{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_offered() {
        let whole = visible(&Cli::command());
        let names: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
        assert!(names.contains(&"run") && !names.contains(&"worker"), "{names:?}");
        let run = whole.find_subcommand("run").expect("a command");
        let flags: Vec<&str> = run.get_arguments().map(|argument| argument.get_id().as_str()).collect();
        assert!(flags.contains(&"seeds") && !flags.contains(&"madsim_seed"), "{flags:?}");
    }
}
