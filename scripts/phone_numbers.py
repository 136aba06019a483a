"""A telephone number of its own for each of a million made-up patients.

Exchange 555, which nobody is given, in a hundred area codes of the United States.
"""

_AREA_CODES = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 "
    "225 227 228 229 231 234 235 239 240 248 251 252 253 254 256 260 262 267 269 270 "
    "272 274 276 279 281 283 301 302 303 304 305 307 308 309 310 312 313 314 315 316 "
    "317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339 341 346 "
    "347 350 351 352 353 360 361 363 364 369 380 385 386 401 402 404 405 406 407 408"
).split()
_LINES = 10_000


def number_of(patient: int) -> str:
    """Return the number, as E.164, of the patient that was written as number ``patient``."""
    area, line = divmod(patient, _LINES)
    return f"+1{_AREA_CODES[area % len(_AREA_CODES)]}555{line:04d}"
