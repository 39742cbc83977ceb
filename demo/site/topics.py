"""What the descriptions of each category are about, so that a text tells something of its book's category.

Related categories share words, as in a real shop. The two categories without a subject have none of their own:
their books are about those of another.
"""

WITHOUT_SUBJECT = ("Default", "Add a comment")

_WORDS = {
    "Poetry": "verses rhyme stanzas sonnets silence moonlight grief breath metaphors odes poems longing",
    "Travel": "trains passports backpacks borders hostels deserts maps islands guides pilgrims mountains routes",
    "Politics": "elections senators votes treaties parliament power reform campaigns citizens laws protest ministers",
    "Science Fiction": "starships androids galaxies colonies robots orbit clones planets wormholes engines aliens",
    "Thriller": "hostages agents snipers conspiracies pursuit deadlines assassins betrayal bombs spies danger cells",
    "Mystery": "detectives clues alibis corpses suspects inspectors footprints poison motives manors secrets murder",
    "Young Adult": "teenagers lockers rebellion prom sisters summers crushes secrets destiny classmates trials",
    "Food and Drink": "recipes butter spices ovens wine kitchens bread chefs vegetables sauces sugar supper",
    "Sequential Art": "panels heroes capes villains ink manga issues sidekicks powers volumes artists masks",
    "Nonfiction": "facts interviews evidence essays arguments research society habits lessons numbers stories",
    "Fantasy": "dragons wizards swords kingdoms spells elves prophecies thrones magic quests goblins runes",
    "Philosophy": "ethics reason logic virtue consciousness dialogues stoics truth existence paradoxes doubt meaning",
    "Business": "startups investors markets leaders customers strategy brands managers profits sales teams",
    "Fiction": "marriages neighbours secrets daughters families letters towns regrets widows novelists houses memory",
    "Historical Fiction": "dukes wartime servants empires soldiers letters corsets queens spies villages revolution",
    "Romance": "kisses weddings lovers hearts billionaires cowboys passion vows desire bachelors brides scandal",
    "Humor": "jokes laughter satire comedians absurdity blunders anecdotes mishaps sarcasm cartoons pranks",
    "Christian": "gospel grace prayer scripture faith disciples church salvation sermons blessings worship sin",
    "Science": "atoms experiments genes physics evolution telescopes theories neurons equations universe fossils",
    "Biography": "childhood fame presidents inventors archives ancestry genius portraits friendships ambition life",
    "Health": "diets sleep yoga nutrition vitamins doctors fasting exercise wellness symptoms stress bodies",
    "Christian Fiction": "faith pastors forgiveness prayer congregations widows ranches grace letters hope",
    "Suspense": "strangers stalkers locks nightmares kidnappers paranoia threats cellars betrayal shadows lies",
    "Art": "painters canvases galleries sculptures colours sketches museums drawings brushes portraits modernism",
    "Childrens": "rabbits bedtime puppies picnics bears balloons kittens playgrounds rhymes wizards teachers pirates",
    "Music": "guitars albums bands concerts lyrics drummers jazz records tours melodies singers punk",
    "Historical": "castles knights dynasties battles heirs empires voyages queens plagues monasteries cavalry",
    "Psychology": "emotions habits therapy trauma memory behaviour minds anxiety patients instincts personality",
    "History": "empires battles archives treaties revolutions monarchs armies civilisations trenches generals",
    "Autobiography": "childhood confessions exile survival memory mothers diaries addiction parents courage fame",
    "Womens Fiction": "sisters mothers divorce friendships bakeries daughters beaches reunions secrets careers",
    "Contemporary": "apartments roommates careers heartbreak texts coffee therapy weddings startups dating cities",
    "Horror": "ghosts vampires graves demons asylums blood curses zombies screams cellars crows possession",
    "Classics": "governesses estates inheritance orphans society parsonages duels carriages pride guardians whales",
    "Religion": "monks scripture prophets temples rituals gods pilgrims belief saints mysticism doctrine worship",
    "Sports and Games": "champions coaches football chess marathons teams tournaments referees stadiums training",
    "New Adult": "campus roommates tattoos frat passion exams bikers heartbreak bands dorms boxing desire",
    "Paranormal": "werewolves vampires witches psychics spirits shifters curses immortals covens packs angels",
    "Parenting": "toddlers babies bedtime tantrums discipline mothers schools sleep siblings nappies parents",
    "Adult Fiction": "affairs scandal desire obsession hotels husbands strangers temptation nights fantasies secrets",
    "Spirituality": "meditation mindfulness chakras awakening breath gratitude karma energy souls healing angels",
    "Academic": "lectures theses methods curricula citations scholars seminars universities theory journals degrees",
    "Self Help": "habits goals confidence routines gratitude decluttering courage mindset success change worry",
    "Short Stories": "tales fables vignettes endings collections glimpses parables encounters sketches legends",
    "Novels": "chapters protagonists generations inheritance households seasons fate confidences estates journeys",
    "Cultural": "festivals traditions languages immigrants customs tribes identity folklore ceremonies diaspora",
    "Erotica": "desire submission lust silk whispers dominance seduction pleasure collars bedrooms nights surrender",
    "Crime": "heists gangsters detectives prisons murder police cartels fraud informants trials robbery alibis",
}  # fmt: skip
TOPICS = {category: tuple(words.split()) for category, words in _WORDS.items()}

ABOUT = (
    "A book of {a} and {b}, with {c} on every page.",
    "Between {a} and {b}, it finds {c}.",
    "What remains of {a} once {b} are gone? Mostly {c}.",
    "It has {a}, it has {b}, and in the end {c}.",
    "{place} is known for {a}, less so for {b} or {c}.",
    "Come for {a}; stay for {b}, and for {c}.",
)
