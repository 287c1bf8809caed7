"""What a customer writes when the shop has failed them: by language, by step, by how it went wrong."""

from __future__ import annotations

import random

# {language: {(step, trouble): what people write}}; trouble is "failed" or "slow".
WORDS: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "en": {
        ("checkout", "failed"): (
            "I tried to pay three times and it always says something went wrong. Was my card charged?",
            "Payment fails at checkout. We need this order today, please fix it.",
            "Your checkout keeps throwing an error when I press pay. My card works everywhere else.",
            "Can't pay!! Error after error. What is going on with your payments?",
        ),
        ("checkout", "slow"): (
            "Paying takes forever, the checkout page just spins. I gave up twice.",
            "Checkout is painfully slow today, I am still waiting for my payment to go through.",
            "I pressed pay and nothing happened for ages. Did the order go in or not?",
        ),
        ("cart", "failed"): (
            "I cannot add anything to my shopping cart, it always ends in an error.",
            "The cart is broken. Whatever I put in, I get an error page.",
        ),
        ("cart", "slow"): (
            "Adding things to the cart takes ages, what is wrong with your shop today?",
            "Shopping cart is so slow that I stopped ordering.",
        ),
        ("browse", "failed"): ("Your website does not load at all, I only see an error.",),
        ("browse", "slow"): ("The shop's pages take forever to open this morning.",),
    },
    "zh": {
        ("checkout", "failed"): (
            "付款一直失败，试了三次都报错，钱到底扣了没有？",
            "结账的时候老是提示出错，支付不了，麻烦尽快处理！",
            "今天怎么都付不了款，换了卡也不行，急用！",
        ),
        ("checkout", "slow"): (
            "付款页面一直转圈，等了半天也没反应。",
            "结账特别慢，支付半天不成功，订单到底下了没有？",
        ),
        ("cart", "failed"): ("商品加不进购物车，一点就报错。", "购物车坏了吗？加什么都失败。"),
        ("cart", "slow"): ("加购物车特别慢，点一下要等好久。", "购物车卡得不行，没法下单。"),
        ("browse", "failed"): ("网站打不开，一直报错。",),
        ("browse", "slow"): ("网页打开特别慢，今天怎么回事？",),
    },
}  # fmt: skip


def complaint(lang: str, step: str, trouble: str, chance: random.Random) -> str:
    return chance.choice(WORDS[lang][step, trouble])
