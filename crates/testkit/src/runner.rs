//! A small test harness, for one thing the standard one cannot do: a test that finds its client missing reports as
//! skipped with the reason, not as passed. It also keeps what a failing test printed about its server beside its
//! failure. Its closing line is the standard one.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A named test.
pub type Test = (&'static str, fn());

/// The table of a module's tests, named after its functions: `tests![n_01_ping, n_02_publish];`. A function that is not
/// listed is dead code, which the lints refuse.
#[macro_export]
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TESTS: &[$crate::Test] = &[$((stringify!($name), $name)),*];
    };
}

struct Skip(String);

thread_local! {
    static REPORT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Ends the running test as skipped.
pub fn skip(reason: impl Into<String>) -> ! {
    panic::panic_any(Skip(reason.into()))
}

/// Adds to what is printed of the running test if it fails. Outside a test of this harness it goes to standard error.
pub fn note(text: &str) {
    REPORT.with_borrow_mut(|report| match report {
        Some(report) => {
            report.push_str(text);
            report.push('\n');
        }
        None => eprintln!("{text}"),
    });
}

enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

struct Options {
    filters: Vec<String>,
    skips: Vec<String>,
    threads: usize,
    list: bool,
}

/// Runs the tests that the command line asks for and ends the process: 0 if none failed, 101 otherwise, as the standard
/// harness does.
pub fn main(modules: &[&[Test]]) -> ! {
    let options = match read_options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            std::process::exit(2);
        }
    };
    let all: Vec<Test> = modules.iter().copied().flatten().copied().collect();
    let chosen: Vec<Test> = all.iter().copied().filter(|(name, _)| is_chosen(name, &options)).collect();
    if options.list {
        for (name, _) in &chosen {
            println!("{name}: test");
        }
        std::process::exit(0);
    }
    panic::set_hook(Box::new(remember_panic));
    println!("\nrunning {} tests", chosen.len());
    let started = Instant::now();
    let outcomes = run_all(&chosen, options.threads);
    std::process::exit(report(&outcomes, all.len() - chosen.len(), started.elapsed()));
}

fn read_options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { filters: Vec::new(), skips: Vec::new(), threads: 2, list: false };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => options.list = true,
            "--nocapture" | "--" => {}
            "--skip" => options.skips.extend(arguments.next()),
            "--threads" | "--test-threads" => {
                let number = arguments.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
                options.threads = number.ok_or("--threads needs a number")?;
            }
            other if other.starts_with('-') => return Err(format!("the test program has no option {other}")),
            filter => options.filters.push(filter.to_owned()),
        }
    }
    Ok(options)
}

fn is_chosen(name: &str, options: &Options) -> bool {
    let matches = |filters: &[String]| filters.iter().any(|filter| name.contains(filter.as_str()));
    (options.filters.is_empty() || matches(&options.filters)) && !matches(&options.skips)
}

fn run_all(tests: &[Test], threads: usize) -> Vec<(&'static str, Outcome)> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, test)) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let outcome = run_one(*test);
                    print_line(name, &outcome, started.elapsed());
                    outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*name, outcome));
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn run_one(test: fn()) -> Outcome {
    REPORT.set(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(test));
    let report = REPORT.take().unwrap_or_default();
    match result {
        Ok(()) => Outcome::Passed,
        Err(payload) => match payload.downcast::<Skip>() {
            Ok(skip) => Outcome::Skipped(skip.0),
            Err(_) => Outcome::Failed(report),
        },
    }
}

fn remember_panic(info: &PanicHookInfo<'_>) {
    if info.payload().is::<Skip>() {
        return;
    }
    note(&info.to_string());
}

fn print_line(name: &str, outcome: &Outcome, time: Duration) {
    let seconds = time.as_secs_f64();
    match outcome {
        Outcome::Passed => println!("test {name} ... ok ({seconds:.1} s)"),
        Outcome::Skipped(reason) => println!("test {name} ... skipped: {reason}"),
        Outcome::Failed(_) => println!("test {name} ... FAILED ({seconds:.1} s)"),
    }
}

/// Prints the failures and the closing line. Returns the exit code.
fn report(outcomes: &[(&'static str, Outcome)], filtered_out: usize, time: Duration) -> i32 {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(_) => skipped += 1,
            Outcome::Failed(report) => {
                failed += 1;
                println!("\n---- {name} ----\n{}", report.trim_end());
            }
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; {filtered_out} filtered out; \
         finished in {:.2}s",
        time.as_secs_f64()
    );
    if failed == 0 { 0 } else { 101 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_choose_by_part_of_the_name_and_skips_take_away() {
        let words = ["n_0", "--skip", "n_02", "--threads", "3"].map(str::to_owned);
        let options = read_options(words.into_iter()).expect("understood");
        assert!(
            is_chosen("n_01_ping", &options) && !is_chosen("n_02_publish", &options) && !is_chosen("p_01", &options)
        );
        assert_eq!(options.threads, 3);
        assert!(read_options(["--what".to_owned()].into_iter()).is_err());
    }

    #[test]
    fn a_skipped_test_is_neither_passed_nor_failed() {
        assert!(matches!(run_one(|| skip("no such client")), Outcome::Skipped(reason) if reason == "no such client"));
        assert!(matches!(run_one(|| {}), Outcome::Passed));
    }
}
