"""The smallest programs of tensors alone in which generated ones once contradicted torch, by what was wrong.

Here: the programs, cut down to what shows it. Not here: the comparison (test_programs).
"""

from __future__ import annotations

from typing import Final

TENSORS: Final[dict[str, str]] = {
    "written in place on one path": """
        v = torch.zeros(3)
        for _ in range(2):
            if random.random() < 0.5:
                v[0] = torch.tensor(2.0, requires_grad=True)
        """,
    "detached in place on one path": """
        v = nn.Parameter(torch.randn(3))
        if random.random() < 0.5:
            with torch.no_grad():
                v[1:] = 0
        else:
            v.detach_()
        """,
    "gradients enabled under inference mode": """
        s = torch.ones((), requires_grad=True)
        with torch.inference_mode():
            with torch.set_grad_enabled(True):
                t = s * s
        """,
    "inference mode switched off by a decorator": """
        @torch.inference_mode(False)
        def f(m):
            return m * m

        m = f(torch.eye(3))
        v = torch.maximum(torch.ones(3, requires_grad=True), m[0])
        """,
    "view of what gets the flag": """
        v = torch.ones(3)
        w = v.view(3)
        v.requires_grad = True
        """,
    "detached alias that gets the flag": """
        m = torch.rand(3, 3)
        n = m.view(9).view(3, 3)
        a = n.detach().requires_grad_()
        """,
    "view without history of what loses the flag": """
        m = torch.randn(3, 3, requires_grad=True)
        with torch.inference_mode():
            v = m[0]
        m.requires_grad_(False)
        """,
    "one of two tensors gets the flag": """
        m = torch.rand(3, 3)
        rows = list(m)
        if random.random() < 0.5:
            m = m.to(torch.float64) + 0
        m.requires_grad_()
        """,
    "written through a view": """
        m = torch.randn(3, 3)
        n = m.transpose(0, 1)
        n.sub_(torch.randn(3, 3, requires_grad=True))
        """,
    "dict that is made with unknown keys on one path": """
        v = torch.ones(3, requires_grad=True)
        d = {k: t * 2 for k, t in dict(a=v, b=v).items()}
        if random.random() < 0.5:
            d = dict(a=v, b=torch.arange(3.0))
        """,
    "list whose items move": """
        v = torch.ones(3, requires_grad=True)
        l = [torch.zeros(3), v]
        if random.random() < 0.5:
            l.insert(0, v * 2)
        """,
    "list that is emptied in a loop": """
        l = [torch.zeros(3), torch.zeros(3)]
        for _ in range(2):
            l.clear()
        l.append(torch.ones(3, requires_grad=True))
        """,
    "items that are live on the same path": """
        v = torch.zeros(3)
        if random.random() < 0.5:
            v = torch.randn(3, requires_grad=True).exp()
        l = [v, v]
        l.append(torch.zeros(3))
        m = torch.stack(l)
        n = torch.stack([v, v])
        """,
    "sum over a tensor that gets the flag": """
        v = torch.zeros(3)
        s = sum(v)
        v.requires_grad_()
        """,
    "flag set under inference mode": """
        v = torch.randn(3, requires_grad=True)
        with torch.inference_mode():
            v.detach_()
            m = torch.randn(3, 3, requires_grad=True).t()
            n = torch.randn(3, 3, requires_grad=True)
        w = F.leaky_relu(n, 0.1)
        """,
    "operation that saves only its weight": """
        v = torch.ones(3, requires_grad=True)
        with torch.inference_mode():
            w = torch.randn(3)
        u = v.lerp(w, 0.5)
        t = torch.where(torch.ones(3, dtype=torch.bool), v, w)
        """,
    "another dtype under no_grad": """
        v = torch.ones(3, requires_grad=True)
        with torch.no_grad():
            w = v.to(torch.float64)
        print(w)
        """,
    "in place by nothing but itself": """
        def f(s):
            torch.relu_(s)

        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            t = s.clone()
        for _ in range(2):
            f(t)
        """,
    "leaf that became a result": """
        m = nn.Parameter(torch.zeros(3, 3))
        m.requires_grad_(False)
        m[:, 0] += torch.ones(3, requires_grad=True).exp()
        m += torch.randn(3, 3, requires_grad=True)
        """,
    "creation after a shape": """
        v = torch.arange(3.0)
        with torch.no_grad():
            w = torch.ones_like(v, requires_grad=True)
        with torch.no_grad():
            w = torch.zeros_like(v[0])
        """,
    "view of what was detached before it gets the flag": """
        v = torch.ones(3).clone().detach()
        w = v.expand(3, 3)
        v.requires_grad = True
        """,
    "comprehension of one tensor": """
        class Box:
            def __init__(self, v):
                self.items = [v for _ in range(2)]

        box = Box(torch.ones(3, requires_grad=True).exp())
        """,
    "inference tensor among others": """
        with torch.inference_mode():
            v = torch.ones(3, requires_grad=True)
        m = torch.eye(3)
        m[1] = v
        a = torch.ones(3) + v
        b = v + 1
        c = v.diag()
        d = v[torch.zeros(3, dtype=torch.long)]
        e = v[[0, 1]]
        """,
    "weight that a bias does not need": """
        with torch.inference_mode():
            m = torch.eye(3)
        v = F.linear(torch.eye(3), m, torch.ones(3, requires_grad=True))
        """,
    "list emptied on one path": """
        v = torch.ones(3, requires_grad=True)
        w = v * 2
        l = [v, w]
        if random.random() < 0.5:
            l.clear()
        l.append(w)
        """,
    "made anew by a later pass, and not written": """
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            t = s + s
            t.sub_(s, alpha=0.1)
            s.requires_grad_(False)
        """,
    "one of the tensors that a loop has made": """
        v = torch.ones(3)
        for _ in range(2):
            w = v.clone()
            if random.random() < 0.5:
                d = dict(a=v, b=w)
        w *= nn.Parameter(torch.randn(3))
        """,
    "one of the tensors of a comprehension": """
        v = torch.zeros(3)
        d = {k: t * 2 for k, t in dict(a=v, b=v).items()}
        v = d['a']
        v.requires_grad_()
        """,
    "integers made floats on one path": """
        v = torch.rand(3).requires_grad_()
        if random.random() < 0.5:
            v = torch.zeros(3, dtype=torch.long).float()
        print(v)
        """,
    "flag of a view, of which there are views": """
        m = torch.eye(3).reshape(3, 3)
        t = m.t()
        m.requires_grad_()
        """,
    "view of one tensor or no view": """
        m = torch.randn(3, 3)
        w = torch.rand(3).requires_grad_() * 2
        if random.random() < 0.5:
            w = m[:, 1]
        w[0] = torch.ones((), requires_grad=True)
        """,
    "list that one path leaves empty": """
        v = torch.randn(3, requires_grad=True)
        l = [v]
        k = []
        if random.random() < 0.5:
            l.clear()
            k.append(v)
        s = sum(l)
        t = sum(k)
        """,
    "view that only the other arm makes": """
        m = torch.eye(3).exp()
        if random.random() < 0.5:
            l = list(m.unbind(0))
        else:
            m.copy_(nn.Parameter(torch.zeros(3, 3)))
        """,
    "older object of a place that is written in place": """
        v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        for _ in range(2):
            w = v.softmax(0)
            for _ in range(2):
                if random.random() < 0.5:
                    break
                w.detach_()
            d = {'a': w}
        """,
    "tensor of a pair or a number": """
        s = torch.tensor(0.5)
        t = (s, s.item())
        if random.random() < 0.5:
            t = (s, s)
        s.requires_grad_()
        """,
    "views of a comprehension, and the flag of what they view": """
        m = torch.randn(3, 3, requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                if random.random() < 0.5:
                    pass
                else:
                    l = [v for v in list(m)]
            m.requires_grad_(False)
        """,
    "list by display or by comprehension": """
        l = [torch.rand(3).requires_grad_()]
        v = torch.ones(3)
        if random.random() < 0.5:
            l = [v for _ in range(2)]
        """,
    "object of the pass before, that got the flag": """
        v2 = torch.ones(3)
        s5 = torch.ones((), requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                t8 = (v2.detach(), s5)
                v3 = t8[0]
                for _ in range(2):
                    v3.requires_grad_()
        """,
    "flag taken from a view without history": """
        m4 = torch.randn(3, 3, requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                with torch.set_grad_enabled(False):
                    m4 = m4.transpose(0, 1)
        m4.requires_grad_(False)
        """,
    "written through, where one of two has a view": """
        v11 = torch.arange(3.0)
        if random.random() < 0.5:
            m8 = v11.diag()
            for _ in range(2):
                v13 = m8.diagonal()
        else:
            m8 = torch.eye(3)
        for _ in range(2):
            if random.random() < 0.5:
                pass
            else:
                m8.add_((nn.Parameter(torch.zeros(3, 3))))
        """,
    "live after one iteration alone": """
        v = torch.ones(3, requires_grad=True)
        for _ in range(2):
            s = v.pow(2).mean()
            v = torch.zeros(3)
        float(s)
        """,
    "total that a called function writes in place": """
        def f0(v2):
            v2.sub_(nn.Parameter(torch.randn(3)), alpha=0.1)
        v9 = -torch.rand(3).requires_grad_()
        for _ in range(2):
            f0(v9)
        """,
    "one of two lists": """
        class Box:
            def __init__(self, v):
                self.items = [v]

            def turn(self):
                if random.random() < 0.5:
                    self.items = [torch.zeros(3)]
                return torch.stack(self.items)

        box = Box(torch.tensor([1.0, 2.0, 3.0], requires_grad=True))
        v13 = box.turn()
        """,
    "element written where gradients are off": """
        v1 = torch.zeros(3)
        with torch.no_grad():
            v6 = torch.linspace(0, 1, 3)
            v1[0] = torch.ones((), requires_grad=True)
        """,
    "object that a sum in place has given another token": """
        v1 = torch.zeros(3)
        t5 = (v1, 1.0)
        v1 += torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        if random.random() < 0.5:
            v1.detach_()
        """,
    "view of a parameter that one path detaches in place": """
        m = nn.Parameter(torch.zeros(3, 3))
        with torch.inference_mode():
            v = m.diagonal()
        for _ in range(2):
            if random.random() < 0.5:
                m.detach_()
        print(v)
        """,
    "one of two tensors detached in place by a function": """
        def turn(v):
            v.detach_()
            return torch.where(torch.ones(3, dtype=torch.bool), v, torch.ones(3))

        v2 = nn.Parameter(torch.randn(3))
        for _ in range(2):
            if random.random() < 0.5:
                v2 = turn(v2)
        print(v2)
        """,
    "flag taken from a tensor that another joins": """
        s3 = torch.ones((), requires_grad=True)
        s3.requires_grad_(False)
        for _ in range(2):
            if random.random() < 0.5:
                s3 = torch.ones(3).norm()
        float(s3)
        """,
    "flag of an inference tensor of which the pass before made views": """
        for _ in range(2):
            with torch.inference_mode():
                u = torch.rand(3).requires_grad_()
                w = u.unsqueeze(0)
                v2 = w.squeeze(0)
                d5 = [v2, v2.detach()]
        """,
    "same object of an inference tensor with the flag": """
        @torch.inference_mode()
        def f1(s3):
            m5 = torch.eye(3) + 1
            return m5.detach().requires_grad_()

        m11 = f1(0)
        m12 = (m11.contiguous() * 1)
        m13 = m12.tanh()
        """,
    "view of a view that the place made in the pass before": """
        m9 = torch.randn(3, 3)
        m11 = m9.t()
        for _ in range(2):
            m11 = m11.transpose(0, 1)
        m11.sub_((torch.randn(3, 3, requires_grad=True)), alpha=0.1)
        """,
    "one of two items of a comprehension detached in place": """
        v5 = torch.ones(3) * torch.rand(3).requires_grad_()
        d7 = {k: v * 2 for k, v in (dict(a=v5, b=v5)).items()}
        v9 = d7['a']
        v9.detach_()
        """,
    "slice of a list of which only other items are live": """
        l1 = [v * 2 for v in torch.randn(3, 3, requires_grad=True)]
        l1.extend([torch.zeros(3), torch.ones(3)])
        for v in l1[-2:]:
            print(v)
        """,
    "view of a parameter that was detached and became a result": """
        m2 = nn.Parameter(torch.zeros(3, 3))
        for _ in range(2):
            v5 = m2[:, 1]
        v9 = v5.softmax(0)
        m2.detach_()
        m2[:, 0] += v9
        m2[0].zero_()
        """,
    "flag set in place after some passes have gone on": """
        v4 = torch.arange(3.0)
        for _ in range(2):
            pass
            with torch.no_grad():
                v7 = -v4
                if random.random() < 0.5:
                    continue
            v7.requires_grad_()
        """,
    "list that a pass of a loop empties, and that is filled again": """
        v3 = torch.rand(3).requires_grad_()
        l7 = [v3.detach()]
        for _ in range(2):
            if random.random() < 0.5:
                l7.clear()
        l7.extend([v3, v3])
        print(l7[0])
        """,
    "view of a sum in place that is detached in place": """
        v8 = torch.full((3,), 2.0)
        v12 = v8.clone()
        v12 *= nn.Parameter(torch.randn(3))
        with torch.no_grad():
            s21 = v12[0]
        v12.detach_()
        """,
    "inference tensor beside a view without a history": """
        k = torch.rand(3).requires_grad_()
        with torch.no_grad():
            v = k.view(3)
        with torch.inference_mode():
            i = torch.ones(3).tanh()
        s = torch.dot(i, v)
        """,
    "view of a detached parameter that is written in loops": """
        m5 = nn.Parameter(torch.zeros(3, 3))
        s8 = m5.mean()
        m5.detach_()
        s13 = m5[1, 2]
        for _ in range(2):
            for _ in range(2):
                s13.copy_(s8)
        """,
    "view of a view of a detached alias that is written in a loop": """
        v7 = torch.zeros(3).clone().detach()
        v3 = v7.unsqueeze(0).squeeze(0)
        for _ in range(2):
            v3.sub_(torch.randn(3, requires_grad=True))
        """,
    "write through a detached alias": """
        v = torch.zeros(3)
        w = v.detach()
        x = w.view(3)
        w.add_(torch.randn(3, requires_grad=True))
        """,
    "inference tensor that is detached in place outside": """
        with torch.inference_mode():
            v = torch.rand(3).requires_grad_()
        v.detach_()
        """,
    "leaf that is back-propagated, and made one again where a path may have computed it": """
        s = torch.ones((), requires_grad=True)
        s.backward()
        s.detach_()
        if random.random() < 0.5:
            for _ in range(2):
                s = s.to(torch.float64) + 0
        s.requires_grad_()
        """,
    "parameter of a layer that is made under inference mode": """
        with torch.inference_mode():
            v = nn.Linear(3, 3).bias
        s = v @ v
        """,
    "addition in place to what may be None as far as the dict tells": """
        v = torch.ones(3)
        w = dict(a=v).get("a")
        if random.random() < 0.5:
            w += torch.randn(3, requires_grad=True)
        """,
}
