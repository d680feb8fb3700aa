//! Entry points for fuzzers: whatever an object store answers, nothing panics.

pub use super::s3::fuzz_object_store_answer;

#[cfg(test)]
mod tests {
    use larder_corpus::run;

    use super::*;

    #[test]
    fn no_answer_of_an_object_store_makes_a_panic() {
        run(env!("CARGO_MANIFEST_DIR"), "object_store_answer", fuzz_object_store_answer);
    }
}
