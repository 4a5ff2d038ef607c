"""A travel agency's assistant: what an operator says of its tools."""

from interlock import Labels, Policy, Trust, need, origin, permit

_REVIEWS = {"*": "third_party"}
_LISTED = {"*": "directory"}
_EVENT = {
    "title": "third_party",
    "description": "third_party",
    "location": "third_party",
    "participants": "directory",
}
_LISTS = (
    "get_all_hotels_in_city",
    "get_hotels_prices",
    "get_hotels_address",
    "get_all_restaurants_in_city",
    "get_cuisine_type_for_restaurants",
    "get_restaurants_address",
    "get_dietary_restrictions_for_all_restaurants",
    "get_contact_information_for_restaurants",
    "get_price_for_restaurants",
    "check_restaurant_opening_hours",
    "get_all_car_rental_companies_in_city",
    "get_car_types_available",
    "get_car_fuel_options",
    "get_car_rental_address",
    "get_car_price_per_day",
    "get_flight_information",
)
_RATINGS = (
    "get_rating_reviews_for_hotels",
    "get_rating_reviews_for_restaurants",
    "get_rating_reviews_for_car_rental",
)
_BOOKINGS = ("reserve_hotel", "reserve_restaurant", "reserve_car_rental")

# Guests write reviews; the rest of what is known of houses and companies is the agency's own catalogue. What is known
# of the user (passport, cards, accounts) stays in the house.
labels = Labels(
    results={
        **dict.fromkeys(_LISTS, _LISTED),
        **dict.fromkeys(_RATINGS, _REVIEWS),
        **dict.fromkeys(("search_calendar_events", "get_day_calendar_events"), _EVENT),
        "get_user_information": {"*": "system"},
    },
    arguments={
        "reserve_hotel": {"hotel": "reference", "start_day": "time", "end_day": "time"},
        "reserve_restaurant": {"restaurant": "reference", "start_time": "time"},
        "reserve_car_rental": {"company": "reference", "start_time": "time", "end_time": "time"},
        "send_email": {"recipients": "sink", "cc": "sink", "bcc": "sink"},
        "create_calendar_event": {"participants": "sink", "location": "content"},
    },
    phrases={
        "reserve_hotel": ["reserve", "make a reservation", "book * hotel", "book * room"],
        "reserve_restaurant": ["reserve * table", "book * table", "book * restaurant"],
        "reserve_car_rental": ["rent", "reserve * car", "book * car"],
        "create_calendar_event": ["add * event", "add * reminder", "add * calendar", "create * event"],
        "cancel_calendar_event": ["cancel"],
        "send_email": ["send", "write to"],
    },
    secret={"get_user_information": ["*"]},
)

policy = Policy(
    permit((*_LISTS, *_RATINGS, "get_user_information", "search_calendar_events", "get_day_calendar_events")),
    permit((*_BOOKINGS, "send_email", "create_calendar_event", "cancel_calendar_event")),
    need.confirmation("reserve_hotel", origin.hotel.trust < Trust.USER, "the user did not name the hotel"),
    need.confirmation("reserve_restaurant", origin.restaurant.trust < Trust.USER, "the user did not name the house"),
    need.confirmation("reserve_car_rental", origin.company.trust < Trust.USER, "the user did not name the company"),
)

effects: dict[str, str] = {}
