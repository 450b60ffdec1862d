//! What a run has shown, printed and kept.

/// Whether the long programme was asked for: `make soak`.
pub fn is_soak() -> bool {
    // A switch of the tests', and no setting of gymcall's.
    #[allow(clippy::disallowed_methods)]
    std::env::var("GYMCALL_SOAK").is_ok_and(|value| value == "1")
}

/// A line at once, for whoever waits for a long run.
#[allow(clippy::print_stdout, reason = "this is what it is for")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Lines for whoever ran the tests; also in `target/tmp/NAME.txt`, because tests that pass are not heard.
pub struct Report {
    name: String,
    text: String,
}

impl Report {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), text: String::new() }
    }

    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    #[allow(clippy::print_stdout, reason = "this is what it is for")]
    pub fn print(&self) {
        println!("{}", self.text);
        let file = format!("{}/{}.txt", env!("CARGO_TARGET_TMPDIR"), self.name);
        std::fs::write(file, &self.text).unwrap();
    }
}
