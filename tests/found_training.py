"""The smallest programs with a backward or an optimizer in which generated ones once contradicted torch, by what was wrong.

Here: the programs, cut down to what shows it. Not here: the comparison (test_programs).
"""

from __future__ import annotations

from typing import Final

TRAINING: Final[dict[str, str]] = {
    "optimizer that the backward does not feed": """
        s = torch.ones((), requires_grad=True)
        o = torch.optim.SGD(nn.Linear(3, 3).parameters(), lr=0.1)
        for _ in range(2):
            s.backward()
            o.step()
        """,
    "state made anew by every pass": """
        v = nn.Parameter(torch.randn(3))
        w = torch.ones(3, requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                w.sum().backward()
                w = v * v
        """,
    "refused before it adds up": """
        v = torch.rand(3).requires_grad_()
        o = torch.optim.SGD([v], lr=0.1)
        s = v.max()
        for _ in range(2):
            if random.random() < 0.5:
                s.backward(retain_graph=True)
            o.step()
        """,
    "refused where it is live": """
        v = torch.zeros(3)
        if random.random() < 0.1:
            v = v + torch.ones(3, requires_grad=True)
        o = torch.optim.SGD([v], lr=0.1)
        print(v)
        """,
    "result that retains its gradient, given to an optimizer": """
        v = torch.ones(3, requires_grad=True) * 2
        v.retain_grad()
        o = torch.optim.SGD([v], lr=0.1)
        """,
    "state made anew before a backward of something else": """
        v = nn.Parameter(torch.randn(3))
        w = torch.ones(3, requires_grad=True)
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                w.sum().backward()
                w = v * v
            s.backward()
        """,
    "write on what the pass before had made at the same place": """
        w = torch.ones((), requires_grad=True)
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            s = s.mul(s)
            s.add_(w)
            s.backward(retain_graph=True)
        """,
    "state written in place by a constant": """
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            for _ in range(2):
                s = s.mul(s)
                s.add_(torch.zeros(()))
            s.backward(retain_graph=True)
        """,
    "layer that a helper of a forward builds": """
        def helper(v):
            return nn.Linear(3, 3)(v)

        class Net(nn.Module):
            def forward(self, v):
                return helper(v)

        net = Net()
        s = net(torch.ones(3)).sum()
        s.backward()
        """,
    "model of its own leaves, in eval mode, back-propagated": """
        class Net(nn.Module):
            def forward(self, v):
                return torch.stack([torch.ones((), requires_grad=True), torch.zeros(())])

        net = Net().eval()
        F.mse_loss(net(torch.ones(2, requires_grad=True) * 2), torch.ones(2)).backward()
        """,
    "step before the backward of an inner loop": """
        v = torch.randn(3, requires_grad=True)
        o = torch.optim.SGD([v], lr=0.1)
        for _ in range(2):
            o.zero_grad()
            o.step()
            for _ in range(2):
                v.sum().backward()
        """,
    "graph that only writes have begun": """
        with torch.no_grad():
            v = torch.full((3,), 2.0).tanh()
        w = torch.randn(3, requires_grad=True)
        for _ in range(2):
            v.copy_(w)
        for _ in range(2):
            (v * 2).sum().backward()
        """,
    "input of a frozen layer, overwritten": """
        v = torch.ones(3, requires_grad=True) * 1
        s = (nn.Linear(3, 3).requires_grad_(False))(v).sum()
        v.zero_()
        s.backward()
        """,
    "optimizer of inference tensors": """
        with torch.inference_mode():
            o = torch.optim.Adam(nn.Linear(3, 3).parameters())
            o.step()
        s = torch.ones((), requires_grad=True)
        float(s)
        """,
    "state that a model writes in place": """
        class P1(nn.Module):
            def forward(self, v):
                v.add_(torch.rand(3).requires_grad_())
                return v + 1
        p1 = P1()
        v4 = torch.linspace(0, 1, 3)
        for _ in range(2):
            F.mse_loss(p1(v4), v4).backward()
        """,
    "state written through what it is a view of, in a loop over one item": """
        v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        m = torch.eye(3)
        if random.random() < 0.5:
            v = m[:, 1]
        l = [v]
        for w in l[-2:]:
            m.sub_(nn.Parameter(torch.zeros(3, 3)), alpha=0.1)
            v.sum().backward()
        """,
    "state written through what it is a view of, which goes on as something else": """
        m = torch.eye(3)
        v = m[:, 1]
        for _ in range(2):
            for _ in range(2):
                m.sub_(nn.Parameter(torch.zeros(3, 3)), alpha=0.1)
                m = m * 2
            v.sum().backward()
        """,
    "flag of what requires grad already": """
        s = torch.randn(3, requires_grad=True)[1]
        for _ in range(2):
            if random.random() < 0.5:
                s.requires_grad_()
            s.backward(retain_graph=True)
        """,
    "state of loops that have ended": """
        v3 = torch.randn(3, requires_grad=True)
        s6 = sum(v3)
        if random.random() < 0.5:
            for _ in range(2):
                for _ in range(2):
                    s6 = 2 * s6
                    v3.sum().backward()
        s6.backward(retain_graph=True)
        """,
    "in-place product that is written in place again": """
        v3 = torch.randn(3)
        v4 = torch.randn(3)
        v3 *= torch.randn(3, requires_grad=True)
        v3.add_(v4)
        v3.sum().backward()
        """,
}
