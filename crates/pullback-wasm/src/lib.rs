//! The engines of the page: the library behind one function, from a question to an answer. With the feature `explain`
//! alone, it is the one that the page loads first; with `train` alone, the one that trains and reads models.
//!
//! A message is four bytes with the length of its JSON, lowest first, the JSON, and bytes that belong to it: a file that
//! is asked about, or numbers (`f32`) that are answered. A question has an `op`; an answer has `ok` or `error`. What is
//! opened stays under a number until it is closed. [`Lab::answer`] is all of it; what the page calls hands bytes over:
//! it asks for [`room`], writes its message there, calls [`answer`], and reads at [`answered`].
//!
//! ```
//! use pullback_wasm::Lab;
//!
//! let mut lab = Lab::default();
//! let (opened, _) = lab.answer(r#"{"op": "open", "example": "mazur"}"#, &[]);
//! assert_eq!(opened["ok"]["kind"], "network");
//! let question = format!(r#"{{"op": "scene", "id": {}, "level": "unit", "at": 0}}"#, opened["ok"]["id"]);
//! let (scene, _) = lab.answer(&question, &[]);
//! assert!(scene["ok"]["sentence"].as_str().expect("a sentence").contains("net_h1 = 0.3775"));
//! ```

mod lab;
#[cfg(feature = "train")]
mod train;

pub use lab::Lab;

use std::cell::RefCell;

thread_local! {
    static LAB: RefCell<Lab> = RefCell::default();
    static MESSAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room for a question of so many bytes.
#[allow(unsafe_code, reason = "the page calls it by this name; nothing else has it")]
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    MESSAGE.with_borrow_mut(|message| {
        message.clear();
        message.resize(bytes, 0);
        message.as_mut_ptr()
    })
}

/// Answers the question; returns how many bytes the answer has.
#[allow(unsafe_code, reason = "the page calls it by this name; nothing else has it")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    let question = MESSAGE.take();
    let answer = LAB.with_borrow_mut(|lab| lab.answer_bytes(&question));
    MESSAGE.replace(answer);
    MESSAGE.with_borrow(Vec::len)
}

/// Where the answer is.
#[allow(unsafe_code, reason = "the page calls it by this name; nothing else has it")]
#[unsafe(no_mangle)]
pub extern "C" fn answered() -> *const u8 {
    MESSAGE.with_borrow(|message| message.as_ptr())
}
