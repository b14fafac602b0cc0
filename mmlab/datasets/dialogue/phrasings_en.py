"""The questions in English: of each list, the last four are never trained on."""

OPENINGS = ("Hello. ", "Please tell me: ", "OK. ", "Now a question: ")
HELD_OUT_OPENINGS = ("Hello, a question: ", "OK, tell me: ")
SUBJECTS = {
    "it": ("it", "this", "that"),
    "image": ("the thing in the picture", "what the picture shows", "the thing that you see"),
    "audio": ("the thing that you hear", "what the voice says", "the thing named in the sound"),
}
CORES: dict[str, tuple[str, ...]] = {
    "what_see": (
        "What do you see?", "What is in the picture?", "What does the picture show?", "What can you see here?",
        "What is this a picture of?", "Name the thing in the picture.", "Say what you see.",
        "Which thing does the picture show?",
        "What do you see in the picture?", "Say what the picture shows.", "Name what you can see.",
        "Which thing is in the picture?",
    ),
    "what_hear": (
        "What do you hear?", "What is said in the sound?", "What does the voice say?", "What can you hear here?",
        "Which word does the sound hold?", "Name the thing in the sound.", "Say what you hear.",
        "Which thing does the voice name?",
        "What do you hear in the sound?", "Say what the voice says.", "Name what you can hear.",
        "Which thing is named in the sound?",
    ),
    "agree": (
        "Do picture and sound agree?", "Do the picture and the sound match?", "Is the sound about the picture?",
        "Does the voice name what the picture shows?", "Do you see and hear the same thing?",
        "Are picture and sound the same thing?", "Does the sound fit the picture?",
        "Is what you hear what you see?",
        "Do the picture and the voice agree?", "Does the sound match the picture?",
        "Are the picture and the sound about the same thing?", "Does the picture show what you hear?",
    ),
    "which_named.word": (
        "Which picture shows: {word}?", "Which of the two is: {word}?", "In which picture do you see: {word}?",
        "Which of the two pictures shows: {word}?", "Where is this: {word}?", "Find it in the pictures: {word}.",
        "Which picture is it: {word}?", "I look for: {word}. Which picture is it?",
        "Which of the pictures is it: {word}?", "Which picture is this: {word}?",
        "In which of the two pictures is: {word}?", "I look for this in the pictures: {word}.",
    ),
    "which_named.audio": (
        "Which picture does the voice name?", "Which of the two does the sound name?",
        "Which picture fits the sound?", "Which of the two pictures do you hear?",
        "Which picture is named in the sound?", "Which picture is the sound about?",
        "The voice names a picture: which one?", "Find the picture that the voice names.",
        "Which of the two pictures does the voice name?", "Which of the pictures fits the voice?",
        "Which of the two is the sound about?", "Find the picture that is named in the sound.",
    ),
    "colour": (
        "What colour is it?", "Which colour does it have?", "What is its colour?",
        "What colour is the thing in the picture?", "Which colour do you see?", "Name the colour of the picture.",
        "What colour does the picture show?", "Say which colour it has.",
        "Which colour is it?", "What is the colour of the thing in the picture?", "Name its colour.",
        "Say what colour you see.",
    ),
    "is_it": (
        "Is {it} {word}?", "Would you say that {it} is {word}?", "Does {it} count as {word}?",
        "Do you think {it} is {word}?", "Can one call {it} {word}?", "Tell me whether {it} is {word}.",
        "Is it true that {it} is {word}?", "Would you call {it} {word}?",
        "Do you think that {it} is {word}?", "Can one say that {it} is {word}?", "Say whether {it} is {word}.",
        "Does one call {it} {word}?",
    ),
    "kind": (
        "What kind of thing is {it}?", "Of what kind is {it}?", "What sort of thing is {it}?",
        "Which kind of thing is {it}?", "To which kind does {it} belong?", "Name the kind: {it}.",
        "Say of what kind {it} is.", "Which group does {it} belong to?",
        "Of which kind is {it}?", "Of what sort is {it}?", "Say what kind of thing {it} is.",
        "To which group does {it} belong?",
    ),
    "translate": (
        "How do you say {it} in Chinese?", "What is {it} in Chinese?", "What is {it} called in Chinese?",
        "Say {it} in Chinese.", "What is the Chinese name of {it}?", "What is the Chinese word for {it}?",
        "What do you call {it} in Chinese?", "Name {it} in Chinese.",
        "What is the Chinese for {it}?", "What does one call {it} in Chinese?", "Say the Chinese word for {it}.",
        "What do the Chinese call {it}?",
    ),
    "first.it": (
        "What came first?", "What did I give you first?", "What was the first thing?",
        "What was it that came first?", "What did we begin with?", "What was the first thing again?",
        "Name the first thing that I gave you.", "Do you remember what came first?",
        "What was the first thing that I gave you?", "Name the thing that came first.",
        "Do you remember the first thing?", "What was it that we began with?",
    ),
    "first.image": (
        "What did I show you first?", "What was in the first picture?", "What did the first picture show?",
        "Which thing was in the first picture?", "What did you see first?", "Name the thing in the first picture.",
        "Do you remember the first picture?", "What was the first picture again?",
        "Which thing did you see first?", "Name what the first picture showed.",
        "What did I show you in the first picture?", "Do you remember what you saw first?",
    ),
    "first.audio": (
        "What did you hear first?", "What was said in the first sound?", "What did the first voice say?",
        "Which thing was named in the first sound?", "What was the first sound about?",
        "Name the thing in the first sound.", "Do you remember the first sound?", "What was the first sound again?",
        "Which thing did you hear first?", "Name what the first voice said.",
        "What did you hear in the first sound?", "Do you remember what you heard first?",
    ),
}  # fmt: skip
