//! `junit.xml`: a testsuite per scenario, a testcase per check.
//!
//! No seed stands in a name, so that CI servers can tell new failures from old ones; the seeds, the
//! capsule and the replay line stand in the failure's text. What was never exercised is skipped,
//! with the reason: it did not pass. A last suite holds the verdict of the whole, so that a file
//! without failures exists only for a pass.
//!
//! Written by hand, because no library keeps to the schema that Jenkins checks: elements and
//! attributes are those of its junit-10.xsd, and a test here holds its rules in our own words.
//!
//! It deliberately decides nothing, gives no time (there is none in a report) and attaches no file.
//!
//! Source: jenkinsci/xunit-plugin, junit-10.xsd; GitLab, "Unit test reports".

use crate::escape::xml;
use crate::planted::Catch;
use crate::report::v2::{Checked, Finding, First, Kind, Outcome, Planted, Report, Scenario};
use crate::{Check, number};
use std::fmt::Write as _;
use tumbler_types::Verdict;

/// The whole file.
pub fn junit(report: &Report) -> String {
    let mut suites: Vec<Suite> = report.scenarios.iter().map(|each| scenario(report, each)).collect();
    if report.kind == Kind::Planted {
        suites.push(planted(report));
    }
    suites.push(whole(report));
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    put(
        &mut out,
        format_args!(
            "<testsuites name=\"tumbler\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"0\">",
            sum(|suite| suite.cases.len()),
            sum(|suite| suite.count(Mark::is_failure)),
            sum(|suite| suite.count(Mark::is_error)),
        ),
    );
    suites.iter().for_each(|suite| suite.write(&mut out));
    out.push_str("</testsuites>\n");
    out
}

struct Suite {
    name: String,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    mark: Mark,
}

enum Mark {
    Passed,
    Skipped { message: String },
    Failure { kind: &'static str, message: String, text: String },
    Error { kind: &'static str, message: String, text: String },
}

impl Mark {
    fn is_failure(&self) -> bool {
        matches!(self, Mark::Failure { .. })
    }

    fn is_error(&self) -> bool {
        matches!(self, Mark::Error { .. })
    }

    fn is_skipped(&self) -> bool {
        matches!(self, Mark::Skipped { .. })
    }
}

impl Suite {
    fn count(&self, is: fn(&Mark) -> bool) -> usize {
        self.cases.iter().filter(|case| is(&case.mark)).count()
    }

    fn write(&self, out: &mut String) {
        let Suite { name, properties, cases } = self;
        let name = xml(name);
        put(
            out,
            format_args!(
                "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" \
                 time=\"0\">",
                cases.len(),
                self.count(Mark::is_failure),
                self.count(Mark::is_error),
                self.count(Mark::is_skipped)
            ),
        );
        out.push_str("    <properties>\n");
        for (key, value) in properties {
            put(out, format_args!("      <property name=\"{key}\" value=\"{}\"/>", xml(value)));
        }
        out.push_str("    </properties>\n");
        for case in cases {
            let head = format!("    <testcase classname=\"{name}\" name=\"{}\" time=\"0\"", xml(&case.name));
            match &case.mark {
                Mark::Passed => put(out, format_args!("{head}/>")),
                Mark::Skipped { message } => put(
                    out,
                    format_args!("{head}>\n      <skipped message=\"{}\"/>\n    </testcase>", xml(message)),
                ),
                Mark::Failure { kind, message, text } => broken(out, &head, "failure", kind, message, text),
                Mark::Error { kind, message, text } => broken(out, &head, "error", kind, message, text),
            }
        }
        out.push_str("  </testsuite>\n");
    }
}

/// The message stands in the text too: GitLab shows only that.
fn broken(out: &mut String, head: &str, element: &str, kind: &str, message: &str, text: &str) {
    let (message, text) = (xml(message), xml(text));
    put(out, format_args!("{head}>"));
    put(
        out,
        format_args!(
            "      <{element} type=\"{kind}\" message=\"{message}\">{message}&#10;{text}</{element}>"
        ),
    );
    out.push_str("    </testcase>\n");
}

fn scenario(report: &Report, scenario: &Scenario) -> Suite {
    let verdicts: Vec<String> =
        scenario.verdicts.iter().map(|(verdict, seeds)| format!("{} {seeds}", verdict.name())).collect();
    Suite {
        name: scenario.name.clone(),
        properties: vec![
            ("seeds", scenario.seeds.to_string()),
            ("expect", scenario.expect.name().to_owned()),
            ("verdicts", verdicts.join(", ")),
            ("breaks", scenario.breaks.iter().map(|each| each.id()).collect::<Vec<_>>().join(", ")),
        ],
        cases: scenario.checks.iter().map(|checked| case(report, scenario, checked)).collect(),
    }
}

fn case(report: &Report, scenario: &Scenario, checked: &Checked) -> Case {
    let mark = match checked.outcome {
        Outcome::Held => Mark::Passed,
        Outcome::Vacuous => Mark::Skipped { message: "vacuous: exercised 0 times".to_owned() },
        Outcome::NotOwed => Mark::Skipped {
            message: format!("not owed: an assumption is broken; excused in {}", seeds(checked.excused)),
        },
        Outcome::Known => Mark::Skipped {
            message: format!("known: broken in {}, as in the baseline", seeds(checked.known)),
        },
        Outcome::Broken => {
            let message = match checked.check {
                Check::Invariant(invariant) => {
                    format!("broken in {}: {}", seeds(checked.failed), invariant.sentence())
                }
                check => format!("{} {}", seeds(checked.failed), check.failing()),
            };
            let text = stories(report, scenario, checked);
            match checked.check {
                Check::Survives => Mark::Error { kind: "crashed", message, text },
                check => Mark::Failure { kind: check.id(), message, text },
            }
        }
    };
    Case { name: checked.check.id().to_owned(), mark }
}

/// The findings of one check in one scenario, told in lines; of one that broke only behind others, where.
fn stories(report: &Report, scenario: &Scenario, checked: &Checked) -> String {
    let check = checked.check;
    let mut text = String::new();
    if let Some(First { seed, step, why }) = &checked.first {
        let step = step.map_or(String::new(), |step| format!(" at step {step}"));
        put(&mut text, format_args!("first in {} seed {seed}{step}", scenario.name));
        if let Some(why) = why {
            put(&mut text, format_args!("  {why}"));
        }
    }
    let speaks = |finding: &&Finding| {
        let of = Check::of(finding.fingerprint.verdict, finding.fingerprint.invariant);
        !finding.known && of == Some(check) && finding.seeds.contains_key(&scenario.name)
    };
    for finding in report.findings.iter().filter(speaks) {
        let count = finding.seeds.get(&scenario.name).copied().unwrap_or_default();
        put(&mut text, format_args!("{} in {}", finding.name, seeds(count)));
        put(&mut text, format_args!("  first in {} seed {}", finding.scenario, finding.seed));
        if let Some(step) = finding.step {
            put(&mut text, format_args!("  at step {step}"));
        }
        if let Some(why) = &finding.why {
            put(&mut text, format_args!("  {why}"));
        }
        if let Some(incident) = &finding.retells {
            put(&mut text, format_args!("  retells {incident}"));
        }
        put(&mut text, format_args!("  replay: {}", finding.replay));
    }
    text
}

fn planted(report: &Report) -> Suite {
    let case = |planted: &Planted| {
        let Planted {
            planted: name,
            scenario,
            expect,
            planned,
            seeds,
            caught,
            clean_seeds,
            clean_failed,
            ..
        } = planted;
        let failure = |kind| {
            let message = format!("expected {} to fire and the clean seeds to pass", expect.id());
            let text = format!(
                "fired in {caught} of {seeds} seeds of {scenario}; {clean_failed} clean seeds failed"
            );
            Mark::Failure { kind, message, text }
        };
        let mark = match planted.came_of() {
            Catch::Caught => Mark::Passed,
            Catch::Missed => failure("missed"),
            Catch::FailsWithout => failure("fails-without"),
            Catch::NotRun => {
                let ran = format!("{seeds} seeds with it and {clean_seeds} without ran, of {planned} each");
                Mark::Skipped { message: ran }
            }
        };
        Case { name: name.clone(), mark }
    };
    Suite {
        name: "(planted)".to_owned(),
        properties: vec![("seeds", report.totals.done.to_string())],
        cases: report.planted.iter().map(case).collect(),
    }
}

/// The verdict of the whole, and why it is no pass.
fn whole(report: &Report) -> Suite {
    let mark = match report.verdict {
        Verdict::Pass => Mark::Passed,
        verdict => Mark::Failure {
            kind: verdict.name(),
            message: format!("the whole is {}", verdict.name()),
            text: report.gaps.iter().map(|gap| format!("{gap}\n")).collect(),
        },
    };
    Suite {
        name: "(whole)".to_owned(),
        properties: vec![
            ("schema", report.schema.to_string()),
            ("version", report.build.version.clone()),
            ("build", report.build.digest.to_string()),
            ("verdict", report.verdict.name().to_owned()),
            ("ended", report.ended.name().to_owned()),
            ("seeds", format!("{}/{}", report.totals.done, report.totals.planned)),
        ],
        cases: vec![Case { name: "verdict".to_owned(), mark }],
    }
}

fn seeds(count: u64) -> String {
    number::count(count, "seed")
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("memory");
}
