"""The words that titles and descriptions are made of."""

CATEGORIES = (
    "Poetry", "Travel", "Politics", "Science Fiction", "Thriller", "Mystery", "Young Adult",
    "Food and Drink", "Sequential Art", "Nonfiction", "Add a comment", "Fantasy", "Default", "Philosophy",
    "Business", "Fiction", "Historical Fiction", "Romance", "Humor", "Christian", "Science", "Biography",
    "Health", "Christian Fiction", "Suspense", "Art", "Childrens", "Music", "Historical", "Psychology",
    "History", "Autobiography", "Womens Fiction", "Contemporary", "Horror", "Classics", "Religion",
    "Sports and Games", "New Adult", "Paranormal", "Parenting", "Adult Fiction", "Spirituality", "Academic",
    "Self Help", "Short Stories", "Novels", "Cultural", "Erotica", "Crime",
)  # fmt: skip

ADJECTIVES = (
    "Amber", "Borrowed", "Careful", "Distant", "Electric", "Faded", "Gilded", "Hollow", "Improbable",
    "Jagged", "Knotted", "Last", "Moonlit", "Northern", "Ordinary", "Paper", "Quiet", "Restless", "Salted",
    "Tidal", "Unfinished", "Velvet", "Wandering", "Young", "Zealous", "Crooked", "Patient", "Slow", "Brave",
    "Second",
)  # fmt: skip

NOUNS = (
    "Lighthouse", "Orchard", "Clockmaker", "Ferry", "Harbour", "Café", "Cartographer", "Library", "Garden",
    "Violin", "Compass", "Staircase", "River", "Kitchen", "Observatory", "Postcard", "Umbrella", "Winter",
    "Bakery", "Señora", "Archive", "Tram", "Fjörd", "Typewriter", "Beekeeper", "Summit", "Mirror",
    "Sparrow", "Telescope", "Recipe",
)  # fmt: skip

PLACES = (
    "Aldermoor", "the Blue Coast", "Castelo Novo", "Dunmarrow", "Eastwick Lane", "Fontainhas", "Greywater",
    "Høyvik", "the Inner Isles", "Józefów", "Kestrel Hill", "Lower Pendry", "São Bento", "the Old Quarter",
    "Port Merrow", "Quillfield", "the Seventh Floor", "Tavistock Row", "Vila Azul", "Windle's End",
)  # fmt: skip

PATTERNS = (
    "The {adjective} {noun}",
    "The {noun} of {place}",
    "Another {noun} in {place}",
    "{adjective} {noun}s",
    "The {noun} & the {other}",
    'Notes on the "{adjective}" {noun}',
    "The {noun}'s {other}: A Story of {place}",
    "Letters from {place} ({adjective} {noun}, #{number})",
    "How to Keep Your {noun}",
    "{place}: The {adjective} Years",
    "Beyond the {adjective} {noun}",
    "What the {noun} Knew",
)

LONG_TITLE = (
    "The Complete and Entirely Unreliable Handbook of Lighthouses, Ferries, Orchards and Other Places Where "
    "Nothing Ever Happens: Being an Account, in No Particular Order, of Eleven Summers Spent Looking for a "
    "Lost Umbrella"
)

SENTENCES = (
    "Nobody in {place} speaks of the {noun} any more.",
    "It began with the {adjective} {noun} and a letter that should never have been opened.",
    "When the {noun} disappears from {place}, the only witness is one {adjective} child.",
    "“You will know it when you see it”, she said, and she was almost right.",
    "A tender, funny book about the {noun}, the {other} and the winter between them.",
    "Twenty short chapters – some of them <true> – on life beside the {noun}.",
    "For readers who like their {noun}s {adjective} & their endings open.",
    "Part memoir, part map: {place} as it was, and as it never will be.",
)
