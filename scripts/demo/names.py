"""Names for the people of the demo. Any likeness is chance."""

WOMEN = {
    "en": (
        "Alice Beverly Carla Donna Edith Faye Gloria Hazel Irene Janice Kathleen Loretta Marjorie "
        "Nadine Odessa Pearl Roberta Shirley Tamika Velma Wanda Yvonne Charlene Denise Ernestine "
        "Francine Geraldine Harriet Imani Joyce"
    ).split(),
    "es": (
        "Alma Blanca Carmen Dolores Esperanza Francisca Graciela Herminia Inés Josefina Leticia "
        "Marisol Norma Ofelia Paloma Rosario Socorro Teresa Verónica Yolanda"
    ).split(),
}
MEN = {
    "en": (
        "Albert Bernard Curtis Darnell Earl Floyd Gerald Harold Isaac Jerome Kenneth Leonard "
        "Marvin Nathan Otis Percy Raymond Stanley Terrence Vernon Wallace Clarence Dwight"
    ).split(),
    "es": (
        "Arturo Benito César Domingo Efraín Fermín Gilberto Héctor Ignacio Joaquín Lorenzo "
        "Moisés Octavio Ramiro Tomás"
    ).split(),
}
FAMILIES = {
    "en": (
        "Abbott Ballard Carver Dawkins Ellsworth Fairley Gaines Hathaway Ingram Jarvis Kendrick "
        "Lockhart Mayfield Norwood Oakley Pruitt Quarles Redmond Sawyer Tillman Underhill Vickers "
        "Whitfield Yarbrough Ashford Birdsong Calloway Delacroix Easley Fontaine Grimaldi Holloway "
        "Nguyen Okafor Petrov Tran Washburn Zielinski Begay Tsosie"
    ).split(),
    "es": (
        "Aguilar Barrientos Cisneros Delgadillo Escobedo Fuentes Guajardo Hinojosa Ibarra Jurado "
        "Lozano Montemayor Navarrete Olivares Palacios Quintanilla Rentería Saldívar Tovar Urrutia "
        "Villalobos Zambrano Arredondo Bocanegra Cantú Elizondo"
    ).split(),
}
SHORT_FORMS = {
    "Alice": "Allie", "Beverly": "Bev", "Kathleen": "Kathy", "Loretta": "Etta", "Roberta": "Bobbie",
    "Charlene": "Charlie", "Ernestine": "Tina", "Geraldine": "Gerri", "Harriet": "Hattie",
    "Albert": "Al", "Bernard": "Bernie", "Gerald": "Jerry", "Harold": "Hal", "Kenneth": "Ken",
    "Leonard": "Leo", "Raymond": "Ray", "Terrence": "Terry", "Francisca": "Paquita",
    "Dolores": "Lola", "Graciela": "Chela", "Josefina": "Pepita", "Leticia": "Lety",
    "Rosario": "Chayo", "Socorro": "Coco", "Yolanda": "Yoli", "Esperanza": "Lancha",
    "Ignacio": "Nacho", "Gilberto": "Beto", "Moisés": "Moi", "Arturo": "Turi",
}  # fmt: skip
KIDS = "Mia Leo Jaden Sofía Mateo Aaliyah Noah Camila Eli Lucía Marcus Zoe Diego Nora".split()
PETS = "Biscuit Canela Duke Lucky Pepper Chato Rosie Scout Luna Bruno".split()
FRIENDS = "Dora|Mr. Banks|Lupe|Estelle|Ray next door|Sister Joan|Chuy|Marlene".split("|")
