"""What portals send, and variations of it."""

import copy

from trial import fresh


def order(amount=377_000):
    return {
        "reference": fresh("INS"),
        "currency": "EUR",
        "payer": {
            "reference": "E2026001",
            "email": "zoe.martin@ecole.example",
            "first_name": "Zoé",
            "last_name": "Martin",
            "addresses": [address() | {"id": "domicile"}],
        },
        "lines": [line(amount)],
    }


def line(amount=377_000):
    return {
        "code": "D1",
        "label": "Droits de scolarité",
        "quantity": "1",
        "unit_price": {"amount": amount, "currency": "EUR"},
        "vat_rate": "0.00",
    }


def address():
    return {
        "first_name": "Zoé",
        "last_name": "Martin",
        "address1": "12 rue de l'Église",
        "zip_code": "75005",
        "city": "Paris",
        "country": "FR",
        "mobile_phone": "0612345675",
    }


def checkout(**billing):
    return {"billing": billing or {"mode": "none"}, "return_url": "http://127.0.0.1:9/retour?dossier=1"}


def edited(document, pointer, value):
    """The document with another value at a JSON Pointer."""
    document = copy.deepcopy(document)
    *steps, last = [int(step) if step.isdigit() else step for step in pointer.strip("/").split("/")]
    place = document
    for step in steps:
        place = place[step]
    place[last] = value
    return document
